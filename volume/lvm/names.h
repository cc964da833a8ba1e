#pragma once

#include <string>
#include <string_view>

/// The rules for names in a VG's text, and how to show text that may break them.
/// Source: docs/formats/lvm-metadata.md, names.
namespace lunfs::lvm {

/// True for what lvm2 takes as the name of a VG or an LV: 1 to 127 of A-Z a-z 0-9 . + _ -, not
/// starting with '-', not "." or "..".
[[nodiscard]] bool is_valid_name(std::string_view name) noexcept;

/// True for what lvm2 takes as a tag: A-Z a-z 0-9 and . _ + / = ! : & # -, not empty.
[[nodiscard]] bool is_valid_tag(std::string_view tag) noexcept;

/// Untrusted text for a message: everything but printable ASCII as \xNN, cut after 80 characters.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace lunfs::lvm

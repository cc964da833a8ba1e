#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "volume/sr/catalog.h"

/// The names of .lunfs/by-name. Pure; no I/O.
namespace lunfs::sr {

/// `label` as one path component that no terminal trips over: '/', '%', control characters (C0,
/// DEL, C1), bytes that are not UTF-8, and a '.' in front become %XX (two upper-case hex digits a
/// byte). Undoing every %XX gives the label back. No limit of length.
[[nodiscard]] std::string escape_label(std::string_view label);

/// The longest beginning of an escaped label of at most `limit` bytes that cuts neither a UTF-8
/// character nor a %XX in two.
[[nodiscard]] std::string_view cut_escaped(std::string_view escaped, std::size_t limit) noexcept;

/// True if `name` can be the name of a file in a directory: not empty, at most 255 bytes, without
/// '/' and NUL, not "." and not "..".
[[nodiscard]] bool is_file_name(std::string_view name) noexcept;

/// A link for every volume with a label: the escaped label and ".raw", at most 255 bytes. Where
/// several have the same one, the volume with the lowest uuid keeps it and the others get " (2)",
/// " (3)", ... in the order of their uuids, so that the names do not depend on the order of LVs.
[[nodiscard]] std::vector<NameLink> make_name_links(std::span<const Volume> volumes);

}  // namespace lunfs::sr

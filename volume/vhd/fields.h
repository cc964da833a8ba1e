#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/uuid.h"

/// Kinds of fields that several of a VHD's structures have. Pure. Source: docs/formats/vhd.md.
namespace lunfs::vhd {

/// The bytes as ASCII for a message; whatever cannot be shown is a '.'.
[[nodiscard]] std::string printable(ConstByteSpan bytes);

/// The 16 bytes at `offset`. Errors: kCorrupt if they are not there.
[[nodiscard]] Uuid load_uuid(ConstByteSpan bytes, std::uint64_t offset);

/// UTF-16 as UTF-8; ends at the first NUL. nullopt if it is none: a surrogate without its other
/// half, half a unit, or a control character, which no name has and no log should get.
[[nodiscard]] std::optional<std::string> utf8_of_utf16(ConstByteSpan bytes, ByteOrder order);

/// UTF-8 as it is, up to the first NUL; nullopt if it is none, or has control characters.
[[nodiscard]] std::optional<std::string> checked_utf8(ConstByteSpan bytes);

}  // namespace lunfs::vhd

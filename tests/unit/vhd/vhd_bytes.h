#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

/// A VHD's structures written by hand: every byte is a test's to choose. Nothing here uses the code
/// under test; places and sums are those of docs/formats/vhd.md.
namespace lunfs::vhd::testing {

using Bytes = std::vector<std::byte>;

/// From hex digits; blanks between them do not count.
[[nodiscard]] Bytes hex(std::string_view digits);
[[nodiscard]] Bytes text(std::string_view characters);
[[nodiscard]] Bytes utf16(std::u16string_view characters, ByteOrder order);

/// `structure` with `bytes` at `offset`.
[[nodiscard]] Bytes with(Bytes structure, std::uint64_t offset, const Bytes& bytes);
[[nodiscard]] Bytes with_u32(Bytes structure, std::uint64_t offset, std::uint32_t value);
[[nodiscard]] Bytes with_u64(Bytes structure, std::uint64_t offset, std::uint64_t value);
/// `structure` with a right checksum in the four bytes at `field`.
[[nodiscard]] Bytes sealed(Bytes structure, std::uint64_t field);

inline constexpr std::uint64_t kFooterChecksumAt = 64;
inline constexpr std::uint64_t kHeaderChecksumAt = 36;

/// A good footer of tap 1.3: dynamic, 64 MiB, its header at 512, visible.
[[nodiscard]] Bytes footer();
/// A good header: BAT of 64 entries at 1536, blocks of 2 MiB, no parent.
[[nodiscard]] Bytes header();
/// The header of a batmap of one sector at 2560, version 1.2; its map is all zeros.
[[nodiscard]] Bytes batmap_header();

/// Both change a good structure in one place and seal it anew.
[[nodiscard]] Bytes footer_with(std::uint64_t offset, std::string_view digits);
[[nodiscard]] Bytes header_with(std::uint64_t offset, std::string_view digits);

/// One field damaged in one way.
struct Damage {
  const char* name;
  std::uint64_t offset;
  const char* digits;  ///< hex
  bool seal;           ///< with a checksum that is right again
  ErrorKind kind;
  const char* word;  ///< that the message must contain
};

/// What `act` throws; fails the test if it throws nothing.
template <typename Act>
[[nodiscard]] Error error_of(Act act) {
  try {
    act();
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorKind::kInternal, "nothing was thrown");
}

}  // namespace lunfs::vhd::testing

#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lunfs {

/// An RFC 4122 uuid, as XenServer names SRs and VDIs: 16 bytes, text 8-4-4-4-12 hex, lower case.
class Uuid {
 public:
  static constexpr std::size_t kTextLength = 36;

  /// nil uuid
  constexpr Uuid() = default;
  explicit constexpr Uuid(const std::array<std::uint8_t, 16>& bytes) : bytes_(bytes) {}

  /// Exactly 36 characters 8-4-4-4-12, either case; anything else is nullopt.
  static std::optional<Uuid> parse(std::string_view text) noexcept;

  [[nodiscard]] std::string text() const;
  [[nodiscard]] const std::array<std::uint8_t, 16>& bytes() const noexcept { return bytes_; }
  [[nodiscard]] bool is_nil() const noexcept { return *this == Uuid(); }

  auto operator<=>(const Uuid&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

/// An LVM uuid: 32 characters of 0-9 a-z A-Z ! #, text form 6-4-4-4-4-4-6.
/// Source: docs/formats/lvm-metadata.md.
class LvmUuid {
 public:
  static constexpr std::size_t kLength = 32;

  /// Dashes are dropped wherever they stand, as lvm2 does; exactly 32 characters of the alphabet
  /// must remain, else nullopt.
  static std::optional<LvmUuid> parse(std::string_view text) noexcept;

  /// 6-4-4-4-4-4-6
  [[nodiscard]] std::string text() const;
  /// the 32 characters without dashes
  [[nodiscard]] std::string_view compact() const noexcept { return {chars_.data(), kLength}; }

  auto operator<=>(const LvmUuid&) const = default;

 private:
  constexpr LvmUuid() = default;
  std::array<char, kLength> chars_{};
};

}  // namespace lunfs

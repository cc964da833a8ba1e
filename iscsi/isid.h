#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace lunfs::iscsi {

/// The initiator's half of a session's identity. Two sessions with the same initiator name and the
/// same ISID at one target are the same session: the later login throws the earlier one out.
/// Source: RFC 7143 §11.12.5 (form), §6.3.5 (reinstatement).
class Isid {
 public:
  /// 12 hex digits, with or without ':' between bytes, or "open-iscsi" for the one that iscsid
  /// gives to the first session with a target. kUsage if it is none: types 00 (OUI), 01 (enterprise
  /// number) and 10 (random) can be sent.
  static Isid parse(std::string_view text);
  /// One of type 10 from the kernel's random generator.
  static Isid random();

  /// 12 hex digits
  [[nodiscard]] std::string text() const;
  [[nodiscard]] const std::array<std::uint8_t, 6>& bytes() const noexcept { return bytes_; }
  bool operator==(const Isid&) const = default;

 private:
  explicit Isid(const std::array<std::uint8_t, 6>& bytes) : bytes_(bytes) {}
  std::array<std::uint8_t, 6> bytes_;
};

}  // namespace lunfs::iscsi

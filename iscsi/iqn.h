#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace lunfs::iscsi {

/// An iSCSI node name: iqn., eui. or naa. form, normalised to lower case.
/// Source: RFC 7143 §4.2.7, RFC 3722.
class Iqn {
 public:
  /// kUsage with the fault ("longer than 223 bytes", "month 13 does not exist", ...).
  static Iqn parse(std::string_view text);

  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  bool operator==(const Iqn&) const = default;

 private:
  explicit Iqn(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace lunfs::iscsi

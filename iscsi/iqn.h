#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lunfs::iscsi {

/// What is wrong with `text` as an iSCSI node name ("longer than 223 bytes (230)", "month 13 does
/// not exist", ...), each fault once, none of them repeating the text; empty = nothing. Letters of
/// either case are taken; others than ASCII's are not, although RFC 3722 knows them: no array asks
/// for one. Source: RFC 7143 §4.2.7, RFC 3722.
std::vector<std::string> iscsi_name_faults(std::string_view text);

/// An iSCSI node name: iqn., eui. or naa. form, normalised to lower case.
/// Source: RFC 7143 §4.2.7, RFC 3722.
class Iqn {
 public:
  /// kUsage with the first of iscsi_name_faults().
  static Iqn parse(std::string_view text);

  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  bool operator==(const Iqn&) const = default;

 private:
  explicit Iqn(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace lunfs::iscsi

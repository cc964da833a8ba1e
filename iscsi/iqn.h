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

/// An iSCSI node name: iqn., eui. or naa. form. The case of letters makes no other name.
/// Source: RFC 7143 §4.2.7, RFC 3722.
class Iqn {
 public:
  /// kUsage with the first of iscsi_name_faults().
  static Iqn parse(std::string_view text);

  /// The normal form, in lower case.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  /// As it was parsed. What a target is called by: targets whose names have capital letters, as NAS
  /// make them, mostly compare them as they come.
  [[nodiscard]] const std::string& spelling() const noexcept { return spelling_; }
  bool operator==(const Iqn& other) const noexcept { return text_ == other.text_; }

 private:
  Iqn(std::string text, std::string spelling)
      : text_(std::move(text)), spelling_(std::move(spelling)) {}
  std::string text_;
  std::string spelling_;
};

}  // namespace lunfs::iscsi

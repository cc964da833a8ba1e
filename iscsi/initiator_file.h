#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lunfs::iscsi {

/// The text of initiatorname.iscsi, the file in which open-iscsi keeps the initiator's name: lines
/// `InitiatorName=` and `InitiatorAlias=`, comments behind a `#`. Read as open-iscsi reads it: the
/// first line that has the key and a value counts, blanks around the value are dropped, a `#` in
/// the value belongs to it.
///
/// What is changed is the line of the key; everything else stays as it is, byte by byte.
/// Source: open-iscsi usr/iscsi_util.c, cfg_get_string_param().
class InitiatorFile {
 public:
  /// Takes any bytes.
  static InitiatorFile parse(std::string_view text);

  /// As it stands there, unchecked; empty if there is none.
  [[nodiscard]] std::string name() const { return value_of(kNameKey); }
  [[nodiscard]] std::string alias() const { return value_of(kAliasKey); }

  /// `name` takes the place of the first name, or comes at the end; further lines with a name go,
  /// and so does `GenerateName=`, by which Debian's open-iscsi asks its next start for a new name.
  void set_name(std::string_view name);
  /// The same; an empty alias removes the line.
  void set_alias(std::string_view alias);

  [[nodiscard]] std::string text() const;

 private:
  static constexpr std::string_view kNameKey = "InitiatorName";
  static constexpr std::string_view kAliasKey = "InitiatorAlias";

  [[nodiscard]] std::string value_of(std::string_view key) const;
  void replace(std::string_view key, std::string_view value);
  void remove(std::string_view key);

  std::vector<std::string> lines_;  ///< each with its line end; the last one may have none
};

/// What is wrong with `alias` as an InitiatorAlias; empty = nothing. At most 239 bytes, as libiscsi
/// 1.19 cuts the key to that on its way (RFC 7143 §6.1 would allow 255), and nothing that would not
/// come back from the file: control characters, blanks at either end.
std::string alias_fault(std::string_view alias);

}  // namespace lunfs::iscsi

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "iscsi/name_maker.h"

namespace lunfs::iscsi {

/// A name of a list, with where it stands there ("line 3"; may be empty).
struct ListedName {
  std::string text;
  std::string place;
};

/// A name with what is wrong with it, one sentence a fault; none = nothing.
struct ReviewedName {
  ListedName listed;
  std::string normal;  ///< in its normal form; empty if it is no name
  std::vector<std::string> faults;
};

/// Looks at the names of hosts that share targets: iscsi_name_faults() of each; letters that are
/// not in their normal case, which some targets compare as they come; a date later than `today`, on
/// which nobody can have owned the domain; and the same name for two. In the order of `names`.
std::vector<ReviewedName> review_names(std::span<const ListedName> names, YearMonth today);

/// The names in a text: one a line or several with commas between (`xe host-list params=iscsi_iqn
/// --minimal`), with or without `InitiatorName=` in front, so that initiatorname.iscsi files may be
/// put one behind the other. Empty lines, comments (#) and InitiatorAlias lines are left out.
std::vector<ListedName> names_in_list(std::string_view text);

}  // namespace lunfs::iscsi

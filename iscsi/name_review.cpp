#include "iscsi/name_review.h"

#include <fmt/format.h>

#include <charconv>
#include <unordered_map>
#include <utility>

#include "base/text.h"

namespace lunfs::iscsi {

namespace {

constexpr std::string_view kNameKey = "InitiatorName";
constexpr std::string_view kAliasKey = "InitiatorAlias";
constexpr std::string_view kIqn = "iqn.";
/// What some editors put in front of a text in UTF-8.
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

/// The month of a well-formed iqn. name.
YearMonth month_of(std::string_view name) {
  int year = 0;
  unsigned month = 0;
  const char* date = name.data() + kIqn.size();
  std::from_chars(date, date + 4, year);
  std::from_chars(date + 5, date + 7, month);
  return {std::chrono::year{year}, std::chrono::month{month}};
}

std::string shown(const ListedName& name, std::size_t index) {
  return name.place.empty() ? fmt::format("name {}", index + 1) : name.place;
}

}  // namespace

std::vector<ReviewedName> review_names(std::span<const ListedName> names, YearMonth today) {
  std::vector<ReviewedName> all;
  std::unordered_map<std::string, std::size_t> first_with;
  for (std::size_t i = 0; i < names.size(); ++i) {
    ReviewedName one{names[i], {}, iscsi_name_faults(names[i].text)};
    if (one.faults.empty()) {
      one.normal = Iqn::parse(names[i].text).text();
      if (one.normal != names[i].text) {
        one.faults.push_back(
            fmt::format("it has capital letters; its normal form is {}", one.normal));
      }
      if (one.normal.starts_with(kIqn) && month_of(one.normal) > today) {
        one.faults.emplace_back("its date lies in the future");
      }
      const auto [first, is_new] = first_with.emplace(one.normal, i);
      if (!is_new) {
        one.faults.push_back(fmt::format("the same name as {}: two hosts must not share one",
                                         shown(names[first->second], first->second)));
      }
    }
    all.push_back(std::move(one));
  }
  return all;
}

std::vector<ListedName> names_in_list(std::string_view text) {
  std::vector<ListedName> names;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t newline = text.find('\n');
    std::string_view line = trimmed(text.substr(0, newline));
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    if (line.starts_with('#') || line.starts_with(kAliasKey)) continue;
    if (line.starts_with(kNameKey)) {
      const std::string_view rest = trimmed(line.substr(kNameKey.size()));
      if (rest.starts_with('=')) line = trimmed(rest.substr(1));
    }
    while (!line.empty()) {
      const std::size_t comma = line.find(',');
      const std::string_view name = trimmed(line.substr(0, comma));
      line.remove_prefix(comma == std::string_view::npos ? line.size() : comma + 1);
      if (!name.empty()) names.push_back({std::string(name), fmt::format("line {}", number)});
    }
  }
  return names;
}

}  // namespace lunfs::iscsi

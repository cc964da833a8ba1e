#include "iscsi/iqn.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "base/error.h"
#include "base/text.h"

namespace lunfs::iscsi {

namespace {

constexpr std::size_t kMaxBytes = 223;
constexpr std::size_t kFormLength = 4;  // "iqn.", "eui.", "naa."
constexpr std::size_t kDateLength = 7;  // "yyyy-mm"

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_hex(char c) noexcept { return is_digit(c) || (c >= 'a' && c <= 'f'); }
constexpr bool is_name_char(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == ':';
}

/// What was found so far. The text itself is never repeated: what stands in its place may be part
/// of a misplaced secret.
using Faults = std::vector<std::string>;

/// @return false if what stands there is no date at all, and so nothing can be said of what
/// follows.
bool check_date(std::string_view date, Faults& faults) {
  for (std::size_t i = 0; i < kDateLength; ++i) {
    const bool good = i < date.size() && (i == 4 ? date[i] == '-' : is_digit(date[i]));
    if (good) continue;
    faults.emplace_back("iqn. is not followed by a year and month (yyyy-mm)");
    return false;
  }
  if (date.substr(0, 4) == "0000") faults.emplace_back("year 0000 does not exist");
  const int month = (date[5] - '0') * 10 + (date[6] - '0');
  if (month < 1 || month > 12) {
    faults.push_back(fmt::format("month {} does not exist", date.substr(5, 2)));
  }
  return true;
}

void check_iqn(std::string_view rest, Faults& faults) {
  if (!check_date(rest, faults)) return;
  rest.remove_prefix(kDateLength);
  if (rest.empty() || rest.front() != '.') {
    faults.emplace_back("no domain follows the date");
    return;
  }
  rest.remove_prefix(1);
  const std::string_view authority = rest.substr(0, rest.find(':'));
  if (authority.empty()) {
    faults.emplace_back("the domain is empty");
  } else if (authority.front() == '.' || authority.back() == '.' ||
             authority.find("..") != std::string_view::npos) {
    faults.emplace_back("the domain has an empty part");
  }
  if (authority.size() + 1 == rest.size()) faults.emplace_back("nothing follows the colon");
}

void check_hex(std::string_view form, std::string_view digits, bool long_form_too, Faults& faults) {
  if (!std::all_of(digits.begin(), digits.end(), is_hex)) {
    faults.push_back(fmt::format("{} is followed by something other than hex digits", form));
    return;
  }
  const bool good_length = digits.size() == 16 || (long_form_too && digits.size() == 32);
  if (good_length) return;
  faults.push_back(fmt::format("{} is followed by {} hex digits, {} are needed", form,
                               digits.size(), long_form_too ? "16 or 32" : "16"));
}

}  // namespace

std::vector<std::string> iscsi_name_faults(std::string_view text) {
  if (text.empty()) return {"it is empty"};
  Faults faults;
  if (text.size() > kMaxBytes) {
    faults.push_back(fmt::format("longer than {} bytes ({})", kMaxBytes, text.size()));
  }
  const std::string name = lower_case(text);
  const auto bad = std::find_if_not(name.begin(), name.end(), is_name_char);
  if (bad != name.end()) {
    faults.push_back(fmt::format("character {} is not a letter, digit, '-', '.' or ':'",
                                 bad - name.begin() + 1));
  }
  const std::string_view form = std::string_view(name).substr(0, kFormLength);
  const std::string_view rest = std::string_view(name).substr(form.size());
  if (form == "iqn.") {
    check_iqn(rest, faults);
  } else if (form == "eui.") {
    check_hex(form, rest, false, faults);
  } else if (form == "naa.") {
    check_hex(form, rest, true, faults);
  } else {
    faults.emplace_back("it starts with neither iqn. nor eui. nor naa.");
  }
  return faults;
}

Iqn Iqn::parse(std::string_view text) {
  const std::vector<std::string> faults = iscsi_name_faults(text);
  if (faults.empty()) return {lower_case(text), std::string(text)};
  throw Error(ErrorKind::kUsage, fmt::format("not an iSCSI name: {}", faults.front()))
      .advise(
          "iSCSI names look like iqn.2001-05.com.example:disk1, eui.<16 hex digits> or "
          "naa.<16 or 32 hex digits>");
}

}  // namespace lunfs::iscsi

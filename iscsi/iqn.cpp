#include "iscsi/iqn.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "base/error.h"

namespace lunfs::iscsi {

namespace {

constexpr std::size_t kMaxBytes = 223;
constexpr std::size_t kPrefixLength = 4;  // "iqn.", "eui.", "naa."
constexpr std::size_t kDateLength = 7;    // "yyyy-mm"

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_hex(char c) noexcept { return is_digit(c) || (c >= 'a' && c <= 'f'); }
constexpr bool is_name_char(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == ':';
}

// The text itself is never repeated: what stands in its place may be part of a misplaced secret.
[[noreturn]] void refuse(const std::string& fault) {
  throw Error(ErrorKind::kUsage, fmt::format("not an iSCSI name: {}", fault))
      .advise(
          "iSCSI names look like iqn.2001-05.com.example:disk1, eui.<16 hex digits> or "
          "naa.<16 or 32 hex digits>");
}

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

void check_date(std::string_view date) {
  for (std::size_t i = 0; i < kDateLength; ++i) {
    const bool good = i < date.size() && (i == 4 ? date[i] == '-' : is_digit(date[i]));
    if (!good) refuse("iqn. is not followed by a year and month (yyyy-mm)");
  }
  if (date.substr(0, 4) == "0000") refuse("year 0000 does not exist");
  const int month = (date[5] - '0') * 10 + (date[6] - '0');
  if (month < 1 || month > 12) refuse(fmt::format("month {} does not exist", date.substr(5, 2)));
}

void check_iqn(std::string_view rest) {
  check_date(rest);
  rest.remove_prefix(kDateLength);
  if (rest.empty() || rest.front() != '.') refuse("no domain follows the date");
  rest.remove_prefix(1);
  const std::string_view authority = rest.substr(0, rest.find(':'));
  if (authority.empty()) refuse("the domain is empty");
  if (authority.front() == '.' || authority.back() == '.' ||
      authority.find("..") != std::string_view::npos) {
    refuse("the domain has an empty part");
  }
  if (authority.size() < rest.size() && authority.size() + 1 == rest.size()) {
    refuse("nothing follows the colon");
  }
}

void check_hex(std::string_view form, std::string_view digits, bool long_form_too) {
  if (!std::all_of(digits.begin(), digits.end(), is_hex)) {
    refuse(fmt::format("{} is followed by something other than hex digits", form));
  }
  const bool good_length = digits.size() == 16 || (long_form_too && digits.size() == 32);
  if (!good_length) {
    refuse(fmt::format("{} is followed by {} hex digits, {} are needed", form, digits.size(),
                       long_form_too ? "16 or 32" : "16"));
  }
}

}  // namespace

Iqn Iqn::parse(std::string_view text) {
  if (text.empty()) refuse("it is empty");
  if (text.size() > kMaxBytes) {
    refuse(fmt::format("longer than {} bytes ({})", kMaxBytes, text.size()));
  }
  std::string name = lower_case(text);
  const auto bad = std::find_if_not(name.begin(), name.end(), is_name_char);
  if (bad != name.end()) {
    refuse(fmt::format("character {} is not a letter, digit, '-', '.' or ':'",
                       bad - name.begin() + 1));
  }
  const std::string_view form = std::string_view(name).substr(0, kPrefixLength);
  const std::string_view rest = std::string_view(name).substr(form.size());
  if (form == "iqn.") {
    check_iqn(rest);
  } else if (form == "eui.") {
    check_hex(form, rest, false);
  } else if (form == "naa.") {
    check_hex(form, rest, true);
  } else {
    refuse("it starts with neither iqn. nor eui. nor naa.");
  }
  return Iqn(std::move(name));
}

}  // namespace lunfs::iscsi

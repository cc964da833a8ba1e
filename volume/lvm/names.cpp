#include "volume/lvm/names.h"

#include <fmt/format.h>

#include <algorithm>

namespace lunfs::lvm {

namespace {

constexpr std::size_t kLongestName = 127;
constexpr std::size_t kLongestShown = 80;

bool is_letter_or_digit(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace

bool is_valid_name(std::string_view name) noexcept {
  constexpr std::string_view kOthers = ".+_-";
  if (name.empty() || name.size() > kLongestName || name.front() == '-') return false;
  if (name == "." || name == "..") return false;
  return std::all_of(name.begin(), name.end(), [&](char c) {
    return is_letter_or_digit(c) || kOthers.find(c) != std::string_view::npos;
  });
}

bool is_valid_tag(std::string_view tag) noexcept {
  constexpr std::string_view kOthers = "._+/=!:&#-";
  return !tag.empty() && std::all_of(tag.begin(), tag.end(), [&](char c) {
    return is_letter_or_digit(c) || kOthers.find(c) != std::string_view::npos;
  });
}

std::string printable(std::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, kLongestShown)) {
    if (c >= ' ' && c <= '~' && c != '\\') {
      shown += c;
    } else {
      shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  if (text.size() > kLongestShown) shown += "...";
  return shown;
}

}  // namespace lunfs::lvm

#include "iscsi/initiator_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "base/text.h"

namespace lunfs::iscsi {

namespace {

constexpr std::size_t kMaxAliasBytes = 239;
constexpr std::string_view kGenerateKey = "GenerateName";

/// The value of a line that has `key`; empty if it has none, is a comment, or names another key.
std::string_view value_in(std::string_view line, std::string_view key) noexcept {
  line = trimmed(line);
  if (!line.starts_with(key)) return {};
  line = trimmed(line.substr(key.size()));
  if (!line.starts_with('=')) return {};
  return trimmed(line.substr(1));
}

std::string_view line_end_of(std::string_view line) noexcept {
  if (line.ends_with("\r\n")) return "\r\n";
  return "\n";
}

}  // namespace

InitiatorFile InitiatorFile::parse(std::string_view text) {
  InitiatorFile file;
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    const std::size_t length = newline == std::string_view::npos ? text.size() : newline + 1;
    file.lines_.emplace_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return file;
}

std::string InitiatorFile::value_of(std::string_view key) const {
  for (const std::string& line : lines_) {
    if (const std::string_view value = value_in(line, key); !value.empty()) {
      return std::string(value);
    }
  }
  return {};
}

void InitiatorFile::remove(std::string_view key) {
  std::erase_if(lines_, [key](const std::string& line) { return !value_in(line, key).empty(); });
}

void InitiatorFile::replace(std::string_view key, std::string_view value) {
  const auto has_key = [key](const std::string& line) { return !value_in(line, key).empty(); };
  const auto first = std::find_if(lines_.begin(), lines_.end(), has_key);
  if (first == lines_.end()) {
    if (!lines_.empty() && !lines_.back().ends_with('\n')) lines_.back() += '\n';
    const std::string_view end = lines_.empty() ? "\n" : line_end_of(lines_.back());
    lines_.push_back(fmt::format("{}={}{}", key, value, end));
    return;
  }
  *first = fmt::format("{}={}{}", key, value, line_end_of(*first));
  lines_.erase(std::remove_if(std::next(first), lines_.end(), has_key), lines_.end());
}

void InitiatorFile::set_name(std::string_view name) {
  replace(kNameKey, name);
  remove(kGenerateKey);
}

void InitiatorFile::set_alias(std::string_view alias) {
  if (alias.empty()) {
    remove(kAliasKey);
  } else {
    replace(kAliasKey, alias);
  }
}

std::string InitiatorFile::text() const {
  std::string text;
  for (const std::string& line : lines_) text += line;
  return text;
}

std::string alias_fault(std::string_view alias) {
  if (alias.size() > kMaxAliasBytes) {
    return fmt::format("longer than {} bytes ({})", kMaxAliasBytes, alias.size());
  }
  if (has_control_character(alias)) return "it holds a control character";
  if (trimmed(alias).size() != alias.size()) return "a blank stands at its beginning or end";
  return {};
}

}  // namespace lunfs::iscsi

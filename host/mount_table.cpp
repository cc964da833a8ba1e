#include "host/mount_table.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

namespace lunfs::host {

namespace {

constexpr bool is_octal(char c) noexcept { return c >= '0' && c <= '7'; }

/// Undoes the \ooo of /proc/self/mountinfo.
std::string unescaped(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) &&
                        is_octal(text[i + 2]) && is_octal(text[i + 3]);
    if (escape) {
      result += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

}  // namespace

std::optional<std::string> MountEntry::option(const std::string& name) const {
  std::istringstream words(options);
  for (std::string word; std::getline(words, word, ',');) {
    if (word.starts_with(name + "=")) return word.substr(name.size() + 1);
  }
  return std::nullopt;
}

std::vector<MountEntry> parse_mount_table(std::istream& table) {
  std::vector<MountEntry> all;
  std::string line;
  while (std::getline(table, line)) {
    std::istringstream words(line);
    std::string skipped;
    MountEntry entry;
    words >> entry.id >> skipped >> entry.device >> skipped >> entry.mount_point;
    // Behind a number of optional fields and a dash.
    while (words >> skipped && skipped != "-") {
    }
    std::getline(words, skipped, ' ');
    std::getline(words, entry.type, ' ');
    std::getline(words, entry.source, ' ');  // may be empty
    std::getline(words, entry.options, ' ');
    if (!words) continue;
    entry.mount_point = unescaped(entry.mount_point);
    entry.source = unescaped(entry.source);
    all.push_back(std::move(entry));
  }
  return all;
}

std::vector<MountEntry> all_mounts() {
  std::ifstream table("/proc/self/mountinfo");
  return parse_mount_table(table);
}

std::optional<MountEntry> find_mount(const std::string& mount_point) {
  std::optional<MountEntry> found;
  for (MountEntry& entry : all_mounts()) {
    if (entry.mount_point == mount_point) found = std::move(entry);  // the last one is on top
  }
  return found;
}

std::string mount_point_of(const std::string& path) {
  std::filesystem::path absolute = std::filesystem::absolute(path).lexically_normal();
  if (!absolute.has_filename()) absolute = absolute.parent_path();  // a slash at the end
  std::error_code failure;
  const std::filesystem::path above = std::filesystem::canonical(absolute.parent_path(), failure);
  return failure ? absolute.string() : (above / absolute.filename()).string();
}

}  // namespace lunfs::host

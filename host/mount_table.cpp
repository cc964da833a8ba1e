#include "host/mount_table.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace lunfs::host {

namespace {

/// Undoes the \ooo of /proc/self/mountinfo.
std::string unescaped(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      result += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

/// The user_id= of FUSE's options; 0 if there is none.
uid_t owner_in(std::string_view options) {
  constexpr std::string_view kKey = "user_id=";
  uid_t owner = 0;
  for (std::size_t begin = 0; begin < options.size();) {
    const std::size_t end = std::min(options.find(',', begin), options.size());
    const std::string_view option = options.substr(begin, end - begin);
    if (option.starts_with(kKey)) {
      const std::string_view number = option.substr(kKey.size());
      std::from_chars(number.data(), number.data() + number.size(), owner);
    }
    begin = end + 1;
  }
  return owner;
}

}  // namespace

std::optional<MountEntry> find_mount(const std::string& mount_point) {
  std::ifstream table("/proc/self/mountinfo");
  std::string line;
  std::optional<MountEntry> found;
  while (std::getline(table, line)) {
    std::istringstream words(line);
    std::string skipped;
    std::string directory;
    MountEntry entry;
    words >> skipped >> skipped >> entry.device >> skipped >> directory;
    if (unescaped(directory) != mount_point) continue;
    // Behind a number of optional fields and a dash.
    while (words >> skipped && skipped != "-") {
    }
    std::string options;
    words >> entry.type >> skipped >> options;
    entry.owner = owner_in(options);
    found = entry;  // the last line is the one on top
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

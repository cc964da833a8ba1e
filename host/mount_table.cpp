#include "host/mount_table.h"

#include <fstream>
#include <sstream>

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
    words >> entry.type;
    found = entry;  // the last line is the one on top
  }
  return found;
}

}  // namespace lunfs::host

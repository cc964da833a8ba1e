#include "fs/durability.h"

#include <fmt/format.h>

namespace lunfs::fs {

std::string Durability::at_stake() const {
  constexpr std::size_t kMaxNames = 10;
  std::string text;
  std::size_t files = 0;
  for (const auto& [file, bytes] : by_file_) {
    if (bytes.acknowledged == bytes.durable || ++files > kMaxNames) continue;
    text += fmt::format("{}{} bytes of {}", text.empty() ? "" : ", ",
                        bytes.acknowledged - bytes.durable, file);
  }
  if (files > kMaxNames) text += fmt::format(" and of {} more files", files - kMaxNames);
  return text;
}

}  // namespace lunfs::fs

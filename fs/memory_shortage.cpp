#include "fs/memory_shortage.h"

#include <fcntl.h>
#include <linux/prctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <string_view>

#include "base/file_descriptor.h"

namespace lunfs::fs {

namespace {

constexpr const char* kScoreFile = "/proc/self/oom_score_adj";
/// Not -1000: a daemon that holds more than nine tenths of the memory is the one to end.
constexpr std::string_view kScore = "-900";
/// What a process has that nobody has said anything of.
constexpr std::string_view kDefaultScore = "0\n";

}  // namespace

void prepare_for_memory_shortage() noexcept {
  // For the calling thread, and what it starts. Source: prctl(2), Linux 5.6.
  static_cast<void>(prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0));
  const FileDescriptor file(open(kScoreFile, O_RDWR | O_CLOEXEC));
  std::array<char, 8> found{};
  const ssize_t length = read(file.get(), found.data(), found.size());
  if (length < 0) return;
  if (std::string_view(found.data(), static_cast<std::size_t>(length)) != kDefaultScore) return;
  [[maybe_unused]] const ssize_t refused = pwrite(file.get(), kScore.data(), kScore.size(), 0);
}

}  // namespace lunfs::fs

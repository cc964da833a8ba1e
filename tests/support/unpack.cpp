#include "tests/support/unpack.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "base/bytes.h"
#include "base/file_descriptor.h"

namespace lunfs::testing {

namespace {

constexpr std::size_t kChunkBytes = 64 * 1024;

void check(bool good, const std::string& what) {
  if (!good) throw std::system_error(errno, std::generic_category(), what);
}

/// Runs `xz -dc path` with `output` as its stdout.
pid_t start_xz(const std::string& path, int output) {
  const pid_t child = fork();
  check(child >= 0, "fork");
  if (child > 0) return child;
  dup2(output, STDOUT_FILENO);
  execlp("xz", "xz", "-dc", "--", path.c_str(), nullptr);
  _exit(127);
}

/// Calls use(chunk) for each chunk of the unpacked content, full ones but for the last.
template <typename Use>
void unpack_chunks(const std::string& path, Use use) {
  std::array<int, 2> ends{};
  check(pipe2(ends.data(), O_CLOEXEC) == 0, "pipe");
  const FileDescriptor input(ends[0]);
  FileDescriptor output(ends[1]);
  const pid_t child = start_xz(path, output.get());
  output.reset();

  std::vector<std::byte> chunk(kChunkBytes);
  std::size_t filled = 0;
  ssize_t count = 0;
  while ((count = read(input.get(), chunk.data() + filled, chunk.size() - filled)) > 0) {
    filled += static_cast<std::size_t>(count);
    if (filled < chunk.size()) continue;
    use(ConstByteSpan(chunk));
    filled = 0;
  }
  if (filled > 0) use(ConstByteSpan(chunk).first(filled));

  int status = 0;
  check(waitpid(child, &status, 0) == child, "waitpid");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw std::runtime_error("xz -dc " + path + " failed");
  }
}

}  // namespace

std::vector<std::byte> unpack(const std::string& path) {
  std::vector<std::byte> content;
  unpack_chunks(path, [&](ConstByteSpan chunk) {
    content.insert(content.end(), chunk.begin(), chunk.end());
  });
  return content;
}

void unpack_to_file(const std::string& path, const std::string& destination) {
  const FileDescriptor file(
      open(destination.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
  check(file.valid(), destination);
  off_t offset = 0;
  unpack_chunks(path, [&](ConstByteSpan chunk) {
    if (!all_zero(chunk)) {
      check(pwrite(file.get(), chunk.data(), chunk.size(), offset) ==
                static_cast<ssize_t>(chunk.size()),
            destination);
    }
    offset += static_cast<off_t>(chunk.size());
  });
  check(ftruncate(file.get(), offset) == 0, destination);
}

}  // namespace lunfs::testing

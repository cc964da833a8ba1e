#include "tests/support/unpack.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

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

void wait_for_xz(pid_t child, const std::string& path) {
  int status = 0;
  check(waitpid(child, &status, 0) == child, "waitpid");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw std::runtime_error("xz -dc " + path + " failed");
  }
}

}  // namespace

std::vector<std::byte> unpack(const std::string& path) {
  std::array<int, 2> ends{};
  check(pipe2(ends.data(), O_CLOEXEC) == 0, "pipe");
  const FileDescriptor input(ends[0]);
  FileDescriptor output(ends[1]);
  const pid_t child = start_xz(path, output.get());
  output.reset();

  std::vector<std::byte> content;
  std::vector<std::byte> chunk(kChunkBytes);
  ssize_t count = 0;
  while ((count = read(input.get(), chunk.data(), chunk.size())) > 0) {
    content.insert(content.end(), chunk.begin(), chunk.begin() + count);
  }
  wait_for_xz(child, path);
  return content;
}

void unpack_to_file(const std::string& path, const std::string& destination) {
  const FileDescriptor file(
      open(destination.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
  check(file.valid(), destination);
  // xz makes the holes by itself where its output is a regular file.
  wait_for_xz(start_xz(path, file.get()), path);
}

}  // namespace lunfs::testing

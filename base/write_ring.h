#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <span>

struct io_uring;

namespace lunfs {

/// Several writev(2) on one descriptor by one system call, where the kernel has io_uring and lets
/// this process use it; elsewhere, and once it has failed, one by one. One thread at a time.
class WriteRing {
 public:
  /// What one system call takes; longer runs are cut.
  static constexpr std::size_t kMost = 64;
  static constexpr ssize_t kNotRun = -EINPROGRESS;
  static constexpr ssize_t kUnknown = -ECANCELED;  ///< io_uring has failed: carried out or not

  struct Write {
    std::span<const iovec> parts;  ///< they and their bytes stay as they are until run() returns
    ssize_t result = kNotRun;      ///< bytes, -errno, or kUnknown
  };

  enum class Mode { kTogether, kOneByOne };
  explicit WriteRing(Mode wanted = Mode::kTogether);
  WriteRing(const WriteRing&) = delete;
  WriteRing& operator=(const WriteRing&) = delete;
  ~WriteRing();

  [[nodiscard]] Mode mode() const noexcept { return ring_ ? Mode::kTogether : Mode::kOneByOne; }

  /// Carries out all `writes`, of which each has its own result.
  /// @param fd  one that has no position and can always be written to, like /dev/fuse: one that is
  ///            full may be waited for, even if it has O_NONBLOCK
  void run(int fd, std::span<Write> writes) noexcept;

 private:
  struct Close {
    void operator()(io_uring* ring) const noexcept;
  };

  void run_together(int fd, std::span<Write> writes) noexcept;
  [[nodiscard]] std::size_t submit(std::size_t count) noexcept;
  [[nodiscard]] std::size_t collect(std::span<Write> submitted) noexcept;

  std::unique_ptr<io_uring, Close> ring_;  ///< null: one by one
};

}  // namespace lunfs

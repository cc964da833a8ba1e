#include "base/write_ring.h"

#include <liburing.h>

#include <algorithm>

#include "base/log.h"

namespace lunfs {

namespace {

ssize_t write_alone(int fd, std::span<const iovec> parts) noexcept {
  for (;;) {
    const ssize_t result = writev(fd, parts.data(), static_cast<int>(parts.size()));
    if (result >= 0) return result;
    if (errno != EINTR) return -errno;
  }
}

#ifdef __SANITIZE_THREAD__
// ThreadSanitizer does not see what io_uring writes, nor that it comes after what was done before.
constexpr bool kSeenBySanitizer = false;
#else
constexpr bool kSeenBySanitizer = true;
#endif

}  // namespace

void WriteRing::Close::operator()(io_uring* ring) const noexcept {
  io_uring_queue_exit(ring);
  delete ring;
}

WriteRing::WriteRing(Mode wanted) {
  if (wanted == Mode::kOneByOne || !kSeenBySanitizer) return;
  auto ring = std::make_unique<io_uring>();
  // Refused where it is switched off (kernel.io_uring_disabled) or filtered, as in many containers.
  if (io_uring_queue_init(kMost, ring.get(), 0) == 0) ring_.reset(ring.release());
}

WriteRing::~WriteRing() = default;

void WriteRing::run(int fd, std::span<Write> writes) noexcept {
  for (Write& write : writes) write.result = kNotRun;
  // A lone one is cheaper by itself.
  for (std::span<Write> rest = writes; ring_ && rest.size() > 1;) {
    const std::size_t count = std::min(rest.size(), kMost);
    run_together(fd, rest.first(count));
    rest = rest.subspan(count);
  }
  for (Write& write : writes) {
    if (write.result == kNotRun) write.result = write_alone(fd, write.parts);
  }
}

void WriteRing::run_together(int fd, std::span<Write> writes) noexcept {
  for (std::size_t i = 0; i < writes.size(); ++i) {
    io_uring_sqe* const entry = io_uring_get_sqe(ring_.get());  // there: the queue is empty
    const std::span<const iovec> parts = writes[i].parts;
    if (parts.size() == 1) {  // cheaper: the kernel copies no list
      io_uring_prep_write(entry, fd, parts[0].iov_base, static_cast<unsigned>(parts[0].iov_len), 0);
    } else {
      io_uring_prep_writev(entry, fd, parts.data(), static_cast<unsigned>(parts.size()), 0);
    }
    io_uring_sqe_set_data64(entry, i);
  }
  const std::size_t submitted = submit(writes.size());
  const std::size_t collected = collect(writes.first(submitted));
  if (submitted == writes.size() && collected == submitted) return;
  log::warn("io_uring has failed; from now on writes go one by one");
  // What was not taken must never be: its bytes are somebody else's soon.
  ring_.reset();
  for (Write& write : writes.first(submitted)) {
    if (write.result == kNotRun) write.result = kUnknown;
  }
}

/// How many of the `count` entries, from the first on, the kernel has taken.
std::size_t WriteRing::submit(std::size_t count) noexcept {
  std::size_t submitted = 0;
  while (submitted < count) {
    const int taken = io_uring_submit_and_wait(ring_.get(), static_cast<unsigned>(count));
    if (taken == -EINTR) continue;
    if (taken <= 0) break;
    submitted += static_cast<std::size_t>(taken);
  }
  return submitted;
}

/// How many results came.
std::size_t WriteRing::collect(std::span<Write> submitted) noexcept {
  std::size_t collected = 0;
  while (collected < submitted.size()) {
    io_uring_cqe* done = nullptr;
    const int failure = io_uring_wait_cqe(ring_.get(), &done);
    if (failure == -EINTR) continue;
    if (failure != 0) break;
    submitted[io_uring_cqe_get_data64(done)].result = done->res;
    io_uring_cqe_seen(ring_.get(), done);
    ++collected;
  }
  return collected;
}

}  // namespace lunfs

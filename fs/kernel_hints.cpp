#include "fs/kernel_hints.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <fstream>

#include "base/log.h"
#include "host/mount_table.h"

namespace lunfs::fs {

namespace {

constexpr int kReadAheadKib = 1024;

/// Three to six times what a thread gets by itself. Longer ones gain little more, and single
/// requests wait longer where other work fills the processors (docs/performance.md).
constexpr std::chrono::nanoseconds kSlice = std::chrono::milliseconds(8);

/// sched_attr of sched_setattr(2), as long as its first version; the header that has it does not
/// go together with <sched.h> on Debian 12.
struct SchedulingAttributes {
  std::uint32_t size = sizeof(SchedulingAttributes);
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};

/// False where the kernel, or who limits its calls, knows none of this.
bool schedule_as_batch_in_slices() noexcept {
  SchedulingAttributes how;  // as it is, so that the nice value stays
  if (syscall(SYS_sched_getattr, 0, &how, sizeof how, 0) != 0) return false;
  how.policy = SCHED_BATCH;
  how.runtime_ns = static_cast<std::uint64_t>(kSlice.count());
  return syscall(SYS_sched_setattr, 0, &how, 0) == 0;
}

}  // namespace

void schedule_as_batch() noexcept {
  const sched_param none{};
  if (schedule_as_batch_in_slices() || sched_setscheduler(0, SCHED_BATCH, &none) == 0) return;
  log::debug("scheduling class stays as it is: {}", std::strerror(errno));
}

void raise_read_ahead(const std::string& mount_point) {
  const auto mount = host::find_mount(mount_point);
  if (!mount) return;
  std::ofstream setting(fmt::format("/sys/class/bdi/{}/read_ahead_kb", mount->device));
  setting << kReadAheadKib << std::endl;
  if (!setting) log::debug("{}: read-ahead stays as it is: not permitted", mount_point);
}

}  // namespace lunfs::fs

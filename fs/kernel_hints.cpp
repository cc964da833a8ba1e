#include "fs/kernel_hints.h"

#include <fmt/format.h>
#include <sched.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/log.h"
#include "host/mount_table.h"

namespace lunfs::fs {

namespace {

constexpr int kReadAheadKib = 1024;

}  // namespace

void schedule_as_batch() noexcept {
  const sched_param none{};
  if (sched_setscheduler(0, SCHED_BATCH, &none) != 0) {
    log::debug("scheduling class stays as it is: {}", std::strerror(errno));
  }
}

void raise_read_ahead(const std::string& mount_point) {
  const auto mount = host::find_mount(mount_point);
  if (!mount) return;
  std::ofstream setting(fmt::format("/sys/class/bdi/{}/read_ahead_kb", mount->device));
  setting << kReadAheadKib << std::endl;
  if (!setting) log::debug("{}: read-ahead stays as it is: not permitted", mount_point);
}

}  // namespace lunfs::fs

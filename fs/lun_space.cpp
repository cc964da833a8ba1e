#include "fs/lun_space.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"

namespace lunfs::fs {

void LunSpace::refused(const Error& error) {
  const std::lock_guard lock(mutex_);
  ++refusals_;
  const bool begins = !full_.exchange(true);
  if (!begins || Clock::now() < say_again_) return;
  said_ = true;
  say_again_ = Clock::now() + kSayAgain;
  Error whole(ErrorKind::kNoSpace,
              fmt::format("{}: out of space: writes fail with ENOSPC until there is some: {}",
                          source_, error.message()));
  whole.set_cause("the array's pool behind this thin LUN, or the image's file system, is full");
  whole.set_remedy("add space there; writes succeed again by themselves then");
  log::error("{}", three_part_text(whole));
}

void LunSpace::end() {
  const std::lock_guard lock(mutex_);
  if (!full_.exchange(false)) return;
  const std::uint64_t refusals = std::exchange(refusals_, 0);
  if (std::exchange(said_, false)) {
    log::warn("{}: writes succeed again; {} were refused for want of space", source_, refusals);
  }
}

}  // namespace lunfs::fs

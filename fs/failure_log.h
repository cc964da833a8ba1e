#pragma once

#include <array>

#include "base/error.h"
#include "base/log_rate.h"
#include "fs/lun_space.h"
#include "fs/statistics.h"

namespace lunfs::fs {

/// Says why requests failed, a bounded number of times for each operation and kind of error: a
/// fault that lasts fails thousands of requests a second. The shard's thread only.
class FailureLog {
 public:
  /// `space` outlives this.
  explicit FailureLog(LunSpace& space) : space_(space) {}

  void note(Operation operation, const Error& error);

 private:
  static constexpr std::size_t kKinds = static_cast<std::size_t>(ErrorKind::kInternal) + 1;

  LunSpace& space_;
  std::array<std::array<log::Rate, kKinds>, kOperationCount> rates_{};
};

}  // namespace lunfs::fs

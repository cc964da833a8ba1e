#pragma once

#include "base/error.h"

namespace lunfs::sr {

/// What is damaged inside an LV costs that LV: its names, its journal, its image. But with the
/// session gone there is nothing to show at all, and the error belongs to whoever opens the SR.
[[nodiscard]] inline bool costs_the_mount(const Error& error) noexcept {
  switch (error.kind()) {
    case ErrorKind::kUnreachable:
    case ErrorKind::kTimedOut:
    case ErrorKind::kCancelled:
    case ErrorKind::kInternal:
      return true;
    default:
      return false;
  }
}

}  // namespace lunfs::sr

#include "fs/seek.h"

#include <algorithm>

namespace lunfs::fs {

namespace {

/// Programs that copy ask again right behind what they were told: the next change is mostly near.
constexpr std::uint64_t kFirstWindow = 64U << 10U;
constexpr std::uint64_t kLargestWindow = 1U << 30U;

}  // namespace

Task<std::optional<std::uint64_t>> find_run(RequestContext& context, BlockDevice& device,
                                            std::uint64_t offset, bool hole,
                                            std::chrono::milliseconds patience) {
  const auto begun = RequestContext::Clock::now();
  const std::uint64_t end = device.geometry().size_bytes;
  RequestContext uninterrupted;
  for (std::uint64_t window = kFirstWindow; offset < end;
       window = std::min(2 * window, kLargestWindow)) {
    const std::uint64_t length = std::min(window, end - offset);
    const std::vector<Extent> runs = co_await device.allocated(uninterrupted, offset, length);
    const auto found = std::find_if(runs.begin(), runs.end(),
                                    [hole](const Extent& run) { return run.hole == hole; });
    if (found != runs.end()) co_return found->offset;
    offset += length;
    if (RequestContext::Clock::now() - begun > patience) context.check();
  }
  co_return std::nullopt;
}

}  // namespace lunfs::fs

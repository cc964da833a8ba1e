#pragma once

#include <chrono>
#include <future>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

namespace lunfs {

/// Calls `function` on a thread of its own and waits for at most `limit`: for system calls that a
/// hanging file system never answers, in programs that end soon. Its result, or its exception;
/// nullopt when the time is over. The thread is left behind then, until the program ends: the
/// function must own everything that it uses.
template <typename Function>
std::optional<std::invoke_result_t<Function>> call_within(std::chrono::milliseconds limit,
                                                          Function function) {
  using Result = std::invoke_result_t<Function>;
  std::packaged_task<Result()> task(std::move(function));
  std::future<Result> result = task.get_future();
  std::thread(std::move(task)).detach();
  if (result.wait_for(limit) != std::future_status::ready) return std::nullopt;
  return result.get();
}

}  // namespace lunfs

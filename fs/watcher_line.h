#pragma once

#include <cstddef>
#include <string_view>

/// What a daemon and its watcher have agreed on: watcher.cpp has one end, watcher_process.cpp the
/// other.
namespace lunfs::fs {

/// The descriptor of the watcher's end.
inline constexpr int kWatcherSocket = 3;
/// Bytes; a longer answer is cut.
inline constexpr std::size_t kLongestAnswer = 1024;
/// Everything else is what went wrong. Not empty, as an empty packet looks like the end.
inline constexpr std::string_view kDone = "done";

}  // namespace lunfs::fs

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lunfs::fs {

enum class Operation { kRead, kWrite, kFlush, kZero, kCopy, kSeek, kOpen };
constexpr std::size_t kOperationCount = 7;

constexpr std::string_view name_of(Operation operation) noexcept {
  constexpr std::array<std::string_view, kOperationCount> kNames = {
      "read", "write", "flush", "zero", "copy", "seek", "open"};
  return kNames[static_cast<std::size_t>(operation)];
}

/// Counters of one kind of request.
struct OperationCounters {
  /// Upper bounds of the latency buckets; the last bucket has none.
  static constexpr std::array<std::chrono::microseconds, 9> kBounds = {
      std::chrono::microseconds{50},        std::chrono::microseconds{100},
      std::chrono::microseconds{250},       std::chrono::microseconds{1'000},
      std::chrono::microseconds{5'000},     std::chrono::microseconds{25'000},
      std::chrono::microseconds{100'000},   std::chrono::microseconds{1'000'000},
      std::chrono::microseconds{10'000'000}};

  std::uint64_t ended = 0;
  std::uint64_t failed = 0;
  std::uint64_t bytes = 0;
  std::uint64_t total_us = 0;
  std::array<std::uint64_t, kBounds.size() + 1> by_latency{};

  OperationCounters& operator+=(const OperationCounters& other) noexcept {
    ended += other.ended;
    failed += other.failed;
    bytes += other.bytes;
    total_us += other.total_us;
    for (std::size_t i = 0; i < by_latency.size(); ++i) by_latency[i] += other.by_latency[i];
    return *this;
  }
};

/// What a shard has done so far. The reactor's thread only.
class Statistics {
 public:
  void started() noexcept { ++in_flight_; }
  void ended(Operation operation, std::uint64_t bytes, bool failed,
             std::chrono::steady_clock::duration took) noexcept {
    --in_flight_;
    OperationCounters& counters = counters_[static_cast<std::size_t>(operation)];
    ++counters.ended;
    counters.failed += failed ? 1 : 0;
    counters.bytes += failed ? 0 : bytes;
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(took);
    counters.total_us += static_cast<std::uint64_t>(us.count());
    std::size_t bucket = 0;
    while (bucket < OperationCounters::kBounds.size() && us > OperationCounters::kBounds[bucket]) {
      ++bucket;
    }
    ++counters.by_latency[bucket];
  }

  /// Adds what another shard has done.
  Statistics& operator+=(const Statistics& other) noexcept {
    in_flight_ += other.in_flight_;
    for (std::size_t i = 0; i < kOperationCount; ++i) counters_[i] += other.counters_[i];
    return *this;
  }

  [[nodiscard]] std::uint64_t in_flight() const noexcept { return in_flight_; }
  [[nodiscard]] const OperationCounters& of(Operation operation) const noexcept {
    return counters_[static_cast<std::size_t>(operation)];
  }

 private:
  std::uint64_t in_flight_ = 0;
  std::array<OperationCounters, kOperationCount> counters_{};
};

}  // namespace lunfs::fs

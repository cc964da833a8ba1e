#include "tests/support/memory_device.h"

#include <algorithm>
#include <utility>

#include "tests/support/yield.h"

namespace lunfs::testing {

MemoryDevice::MemoryDevice(std::uint64_t size_bytes, std::uint32_t block_size_bytes)
    : MemoryDevice(std::vector<std::byte>(size_bytes), block_size_bytes) {}

MemoryDevice::MemoryDevice(std::vector<std::byte> bytes, std::uint32_t block_size_bytes)
    : bytes_(std::move(bytes)) {
  geometry_.size_bytes = bytes_.size();
  geometry_.block_size_bytes = block_size_bytes;
  geometry_.can_unmap = true;
  geometry_.can_compare_and_write = true;
}

void MemoryDevice::suspend_through(Reactor& reactor, std::uint32_t seed) {
  reactor_ = &reactor;
  random_.seed(seed);
}

Task<void> MemoryDevice::pause() {
  if (reactor_ == nullptr) co_return;
  constexpr unsigned kMostTurns = 4;
  for (auto turns = random_() % kMostTurns + 1; turns > 0; --turns) co_await Yield{*reactor_};
}

Task<void> MemoryDevice::do_read(RequestContext& context, std::uint64_t offset, IoSpan out) {
  ++counts_.reads;
  context.check();
  co_await pause();
  std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
  co_await pause();
}

Task<void> MemoryDevice::do_write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                                  WriteFlags flags) {
  ++counts_.writes;
  if (flags.fua) ++counts_.fua_writes;
  if (flags.resend == Resend::kNever) ++counts_.never_resends;
  context.check();
  co_await pause();
  std::copy(in.begin(), in.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(offset));
  co_await pause();
}

Task<void> MemoryDevice::do_flush(RequestContext& context) {
  ++counts_.flushes;
  context.check();
  co_await pause();
}

Task<void> MemoryDevice::do_unmap(RequestContext& context, std::uint64_t offset,
                                  std::uint64_t length) {
  ++counts_.unmaps;
  context.check();
  co_await pause();
  constexpr std::byte kUndefined{0xDB};
  std::fill_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), length, kUndefined);
  co_await pause();
}

Task<void> MemoryDevice::do_write_zeroes(RequestContext& context, std::uint64_t offset,
                                         std::uint64_t length, bool /*may_unmap*/) {
  ++counts_.zeroes;
  context.check();
  co_await pause();
  std::fill_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), length, std::byte{0});
  co_await pause();
}

Task<bool> MemoryDevice::do_compare_and_write(RequestContext& context, std::uint64_t offset,
                                              ConstIoSpan expected, ConstIoSpan in) {
  ++counts_.compares;
  context.check();
  co_await pause();
  const auto place = bytes_.begin() + static_cast<std::ptrdiff_t>(offset);
  const bool same = std::equal(expected.begin(), expected.end(), place);
  if (same) std::copy(in.begin(), in.end(), place);
  co_await pause();
  co_return same;
}

}  // namespace lunfs::testing

// What a 4 KiB request costs in allocations. A program of its own: it counts every operator new.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <new>

#include "base/spawn.h"
#include "tests/unit/iscsi/one_lun.h"

namespace {

std::size_t allocations = 0;

void* counted(std::size_t size) {
  ++allocations;
  void* const memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t /*size*/) noexcept { std::free(memory); }

namespace lunfs::iscsi {
namespace {

using testing::OneLun;

constexpr std::size_t kDepth = 32;
constexpr std::size_t kBytes = 4096;

/// One request after the other at places that are no neighbours of others'.
Task<void> requests(LunDevice& lun, RequestContext& context, std::span<std::byte> bytes, bool write,
                    std::size_t first) {
  for (std::size_t i = 0; i < 100; ++i) {
    const std::uint64_t offset = (i % 4 * kDepth + first) * 2 * kBytes;
    if (write) {
      co_await lun.write(context, offset, bytes);
    } else {
      co_await lun.read(context, offset, bytes);
    }
  }
}

/// Of `kDepth` runs of a hundred requests each, at the same time.
std::size_t allocations_of_a_round(OneLun& one, bool write) {
  static std::array<std::byte, kDepth * kBytes> buffers;
  RequestContext context;
  std::size_t left = kDepth;
  bool done = false;
  const std::size_t before = allocations;
  for (std::size_t i = 0; i < kDepth; ++i) {
    spawn(requests(*one.lun, context, std::span(buffers).subspan(i * kBytes, kBytes), write, i),
          [&](const std::exception_ptr& failure) {
            EXPECT_EQ(failure, nullptr);
            done = --left == 0;
          });
  }
  one.initiator.reactor.run_until(done);
  return allocations - before;
}

TEST(Allocations, ShortRequestsNeedNoneAfterTheFirst) {
  OneLun one;
  one.open();
  for (const bool write : {false, true}) {
    allocations_of_a_round(one, write);
    // Not one in fifty: what the timers of the loop need.
    EXPECT_LT(allocations_of_a_round(one, write), kDepth * 100 / 50) << write;
  }
}

}  // namespace
}  // namespace lunfs::iscsi

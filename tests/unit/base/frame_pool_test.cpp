#include "base/frame_pool.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

namespace lunfs {
namespace {

// Sizes around the borders of size classes and of what is pooled at all.
constexpr std::size_t kSizes[] = {1, 127, 128, 129, 256, 2047, 2048, 2049, 100'000};

TEST(FramePool, FramesAreAlignedWritableAndApart) {
  for (const std::size_t size : kSizes) {
    void* one = frame_pool::allocate(size);
    void* two = frame_pool::allocate(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(one) % __STDCPP_DEFAULT_NEW_ALIGNMENT__, 0U);
    std::memset(one, 1, size);
    std::memset(two, 2, size);
    EXPECT_EQ(static_cast<unsigned char*>(one)[size - 1], 1);
    frame_pool::release(one, size);
    frame_pool::release(two, size);
  }
}

TEST(FramePool, FrameThatIsReusedIsLargeEnough) {
  for (const std::size_t first : kSizes) {
    for (const std::size_t second : kSizes) {
      void* frame = frame_pool::allocate(first);
      frame_pool::release(frame, first);
      frame = frame_pool::allocate(second);
      std::memset(frame, 3, second);
      frame_pool::release(frame, second);
    }
  }
}

TEST(FramePool, FramesMayBeReleasedByAnotherThread) {
  constexpr std::size_t kSize = 300;
  std::vector<void*> frames;
  for (int i = 0; i < 100; ++i) frames.push_back(frame_pool::allocate(kSize));
  std::jthread([&] {
    for (void* frame : frames) frame_pool::release(frame, kSize);
    void* again = frame_pool::allocate(kSize);
    std::memset(again, 4, kSize);
    frame_pool::release(again, kSize);
  }).join();
}

TEST(FramePool, MoreThanAListHoldsIsGivenBack) {
  constexpr std::size_t kSize = 200;
  std::vector<void*> frames;
  for (int i = 0; i < 3000; ++i) frames.push_back(frame_pool::allocate(kSize));
  for (void* frame : frames) frame_pool::release(frame, kSize);
  void* frame = frame_pool::allocate(kSize);
  std::memset(frame, 5, kSize);
  frame_pool::release(frame, kSize);
}

}  // namespace
}  // namespace lunfs

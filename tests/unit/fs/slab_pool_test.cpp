#include "fs/slab_pool.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace lunfs::fs {
namespace {

TEST(SlabPool, LastGivenBackIsTakenFirst) {
  SlabPool pool;
  std::byte* first = nullptr;
  {
    SlabPool::Slab a = pool.take();
    SlabPool::Slab b = pool.take();
    first = a.data();
  }  // b goes back first, then a
  EXPECT_EQ(pool.take().data(), first);
}

TEST(SlabPool, SlabsArePageAligned) {
  SlabPool pool;
  const SlabPool::Slab slab = pool.take();
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(slab.data()) % 4096, 0U);
}

TEST(SlabPool, MovedFromSlabIsEmpty) {
  SlabPool pool;
  SlabPool::Slab a = pool.take();
  const SlabPool::Slab b = std::move(a);
  EXPECT_FALSE(a.valid());  // NOLINT(bugprone-use-after-move): that is the law
  EXPECT_TRUE(b.valid());
}

TEST(SlabPool, TwoTakenSlabsAreDifferentMemory) {
  SlabPool pool;
  SlabPool::Slab a = pool.take();
  SlabPool::Slab b = pool.take();
  EXPECT_NE(a.data(), b.data());
  EXPECT_EQ(a.first(SlabPool::kSlabBytes).size(), SlabPool::kSlabBytes);
}

}  // namespace
}  // namespace lunfs::fs

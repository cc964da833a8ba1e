#include "fs/slab_pool.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace lunfs::fs {

namespace {

constexpr std::size_t kPageBytes = 4096;

}  // namespace

void SlabPool::Slab::Free::operator()(std::byte* memory) const noexcept { std::free(memory); }

SlabPool::Slab::~Slab() {
  if (pool_ != nullptr && memory_ != nullptr) pool_->give_back(std::move(memory_), touched_);
}

std::span<std::byte> SlabPool::Slab::first(std::size_t length) noexcept {
  touch(length);
  return {memory_.get(), length};
}

void SlabPool::Slab::touch(std::size_t length) noexcept { touched_ = std::max(touched_, length); }

SlabPool::Slab SlabPool::take() {
  if (!idle_.empty()) {
    Idle last = std::move(idle_.back());
    idle_.pop_back();
    idle_bytes_ -= last.touched;
    return {this, std::move(last.memory), last.touched};
  }
  auto* memory = static_cast<std::byte*>(std::aligned_alloc(kPageBytes, kSlabBytes));
  if (memory == nullptr) throw std::bad_alloc();
  return {this, Slab::Memory(memory), 0};
}

void SlabPool::give_back(Slab::Memory memory, std::size_t touched) noexcept {
  if (idle_bytes_ + touched > kIdleBytes || idle_.size() >= kIdleSlabs) return;  // freed
  try {
    idle_.push_back({std::move(memory), touched});
    idle_bytes_ += touched;
  } catch (const std::bad_alloc&) {  // then it is freed as well
  }
}

}  // namespace lunfs::fs

#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace lunfs::fs {

/// Buffers that one FUSE request fits into: page-aligned, taken last-in first-out so that their
/// pages stay in the CPU's cache. The reactor's thread only.
class SlabPool {
 public:
  /// 1 MiB of payload, and what libfuse needs in front of it (performance: one size, one copy
  /// less).
  static constexpr std::size_t kSlabBytes = (1 << 20) + 8192;

  SlabPool() = default;
  SlabPool(const SlabPool&) = delete;
  SlabPool& operator=(const SlabPool&) = delete;

  /// One buffer; goes back to its pool when this ends. Must not outlive the pool.
  class Slab {
   public:
    Slab() = default;
    Slab(Slab&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)),
          memory_(std::move(other.memory_)),
          touched_(other.touched_) {}
    Slab& operator=(Slab&& other) noexcept {
      std::swap(pool_, other.pool_);
      std::swap(memory_, other.memory_);
      std::swap(touched_, other.touched_);
      return *this;
    }
    ~Slab();

    [[nodiscard]] bool valid() const noexcept { return memory_ != nullptr; }
    [[nodiscard]] std::byte* data() const noexcept { return memory_.get(); }
    /// The first `length` bytes; counts them as touched, for the pool's memory bound.
    [[nodiscard]] std::span<std::byte> first(std::size_t length) noexcept;
    void touch(std::size_t length) noexcept;

   private:
    friend class SlabPool;
    struct Free {
      void operator()(std::byte* memory) const noexcept;
    };
    using Memory = std::unique_ptr<std::byte, Free>;
    Slab(SlabPool* pool, Memory memory, std::size_t touched)
        : pool_(pool), memory_(std::move(memory)), touched_(touched) {}

    SlabPool* pool_ = nullptr;
    Memory memory_;
    std::size_t touched_ = 0;  ///< bytes from the start that hold resident pages
  };

  [[nodiscard]] Slab take();

 private:
  /// Free slabs keep at most this much resident memory; more goes back to the system.
  static constexpr std::size_t kIdleBytes = 16U << 20;
  static constexpr std::size_t kIdleSlabs = 512;

  void give_back(Slab::Memory memory, std::size_t touched) noexcept;

  struct Idle {
    Slab::Memory memory;
    std::size_t touched;
  };
  std::vector<Idle> idle_;
  std::size_t idle_bytes_ = 0;
};

}  // namespace lunfs::fs

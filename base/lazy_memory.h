#pragma once

#include <cstddef>
#include <span>
#include <utility>

namespace lunfs {

/// A range of bytes that takes memory where it is first written, page by page; a large one by huge
/// pages, if the kernel has them. One thread.
class LazyMemory {
 public:
  LazyMemory() = default;
  /// Of zeros. kIo if the address space has no room for `size` bytes.
  explicit LazyMemory(std::size_t size);
  LazyMemory(LazyMemory&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  LazyMemory& operator=(LazyMemory&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~LazyMemory();

  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return bytes_; }
  /// Gives the memory behind the first `kept` bytes back: they are zeros again. The range stays.
  /// @param kept  at most the size, a multiple of the page size
  void give_back(std::size_t kept = 0) noexcept;

 private:
  std::span<std::byte> bytes_;
};

}  // namespace lunfs

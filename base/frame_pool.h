#pragma once

#include <array>
#include <cstddef>
#include <new>

/// Memory for coroutine frames: freed frames wait in per-thread lists by size class, so that a
/// request's frames cost no malloc after warm-up. A frame may be freed by another thread than the
/// one that took it; it then joins that thread's list. Under AddressSanitizer this is plain
/// new/delete, so that a use after free is seen.
namespace lunfs::frame_pool {

namespace detail {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kPooled = false;
#else
constexpr bool kPooled = true;
#endif

constexpr std::size_t kStep = 128;
constexpr std::size_t kClasses = 16;        // frames up to 2 KiB are pooled
constexpr std::size_t kMaxPerClass = 1024;  // at most 2 MiB a class and thread stay behind

struct FreeFrame {
  FreeFrame* next;
};

struct SizeClass {
  FreeFrame* head = nullptr;
  std::size_t room = kMaxPerClass;  ///< how many more are kept
};

/// Without constructor and destructor, so that nobody has to ask whether it was made.
extern constinit thread_local std::array<SizeClass, kClasses> classes;

constexpr std::size_t class_of(std::size_t size) noexcept { return (size + kStep - 1) / kStep - 1; }
constexpr bool is_pooled(std::size_t size) noexcept {
  return kPooled && size != 0 && class_of(size) < kClasses;
}

/// What this thread has kept when it ends is freed then.
void free_at_thread_end();

}  // namespace detail

/// std::bad_alloc.
inline void* allocate(std::size_t size) {
  if (!detail::is_pooled(size)) return ::operator new(size);
  detail::SizeClass& size_class = detail::classes[detail::class_of(size)];
  if (size_class.head == nullptr) {
    return ::operator new((detail::class_of(size) + 1) * detail::kStep);
  }
  detail::FreeFrame* frame = size_class.head;
  size_class.head = frame->next;
  ++size_class.room;
  return frame;
}

/// @param size  as it was asked for
inline void release(void* frame, std::size_t size) noexcept {
  if (!detail::is_pooled(size)) return ::operator delete(frame);
  detail::SizeClass& size_class = detail::classes[detail::class_of(size)];
  if (size_class.room == 0) return ::operator delete(frame);
  if (size_class.head == nullptr) detail::free_at_thread_end();
  size_class.head = new (frame) detail::FreeFrame{size_class.head};
  --size_class.room;
}

}  // namespace lunfs::frame_pool

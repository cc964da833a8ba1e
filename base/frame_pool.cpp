#include "base/frame_pool.h"

#include <array>
#include <new>

namespace lunfs::frame_pool {

namespace {

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
  std::size_t count = 0;
};

class ThreadLists {
 public:
  ThreadLists() = default;
  ThreadLists(const ThreadLists&) = delete;
  ThreadLists& operator=(const ThreadLists&) = delete;
  ~ThreadLists() {
    for (SizeClass& size_class : classes_) {
      while (size_class.head != nullptr) {
        FreeFrame* frame = size_class.head;
        size_class.head = frame->next;
        ::operator delete(frame);
      }
    }
  }

  SizeClass& of(std::size_t index) noexcept { return classes_[index]; }

 private:
  std::array<SizeClass, kClasses> classes_{};
};

ThreadLists& lists() {
  thread_local ThreadLists instance;
  return instance;
}

constexpr std::size_t class_of(std::size_t size) noexcept { return (size + kStep - 1) / kStep - 1; }

}  // namespace

void* allocate(std::size_t size) {
  if (!kPooled || size == 0 || class_of(size) >= kClasses) return ::operator new(size);
  SizeClass& size_class = lists().of(class_of(size));
  if (size_class.head == nullptr) return ::operator new((class_of(size) + 1) * kStep);
  FreeFrame* frame = size_class.head;
  size_class.head = frame->next;
  --size_class.count;
  return frame;
}

void release(void* frame, std::size_t size) noexcept {
  if (!kPooled || size == 0 || class_of(size) >= kClasses) {
    ::operator delete(frame);
    return;
  }
  SizeClass& size_class = lists().of(class_of(size));
  if (size_class.count == kMaxPerClass) {
    ::operator delete(frame);
    return;
  }
  size_class.head = new (frame) FreeFrame{size_class.head};
  ++size_class.count;
}

}  // namespace lunfs::frame_pool

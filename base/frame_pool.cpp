#include "base/frame_pool.h"

namespace lunfs::frame_pool::detail {

namespace {

/// Frees what a thread has kept when it ends; nothing is kept after that.
class AtThreadEnd {
 public:
  AtThreadEnd() = default;
  AtThreadEnd(const AtThreadEnd&) = delete;
  AtThreadEnd& operator=(const AtThreadEnd&) = delete;
  ~AtThreadEnd() {
    for (SizeClass& size_class : classes) {
      while (size_class.head != nullptr) {
        FreeFrame* frame = size_class.head;
        size_class.head = frame->next;
        ::operator delete(frame);
      }
      size_class.room = 0;
    }
  }
};

}  // namespace

constinit thread_local std::array<SizeClass, kClasses> classes;

void free_at_thread_end() { static thread_local const AtThreadEnd end; }

}  // namespace lunfs::frame_pool::detail

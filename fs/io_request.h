#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "base/frame_pool.h"
#include "fs/io_operations.h"
#include "fs/truncation.h"

/// What IoOperations is made of inside; for its own files.
namespace lunfs::fs {

/// Of a read, a write, a copy's piece.
inline constexpr std::size_t kLargestRequest = 1U << 20;

/// One request from its first byte to its answer.
struct IoOperations::Request {
  Request(Operation what, Reply to) : operation(what), reply(std::move(to)) {
    context.cancellation = &cancellation;
    fuse_req_interrupt_func(
        reply.request(),
        [](fuse_req_t, void* self) { static_cast<Request*>(self)->cancellation.request(); }, this);
  }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  // Pooled like the coroutines around it.
  static void* operator new(std::size_t size) { return frame_pool::allocate(size); }
  static void operator delete(void* request, std::size_t size) noexcept {
    frame_pool::release(request, size);
  }

  Operation operation;
  Cancellation cancellation;
  RequestContext context;
  SlabPool::Slab slab;  ///< of a write: what its payload lies in
  std::uint64_t bytes = 0;
  std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
  Reply reply;
};

/// A change of a range: told to the file's Truncation, if there is one, and kept apart from the
/// zeroing at the close of a handle with O_TRUNC. Made right after before_write().
struct IoOperations::Change {
  Change(OpenFile& file, Reactor& reactor, std::uint64_t offset, std::uint64_t length)
      : truncation(file.node->truncation.find()) {
    // Of no length: the place may lie behind the file's end, and nothing was passed on the way.
    if (length == 0) return;
    file.reached(offset + length);
    if (!truncation) return;
    truncation->note(offset, length);
    entry.emplace(truncation->line(), reactor, RangeLock::Mode::kShared, offset, length);
  }
  [[nodiscard]] bool granted() const noexcept { return !entry || entry->granted(); }
  Task<void> wait(RequestContext& context) {
    if (!granted()) co_await entry->wait(context);
  }

  std::shared_ptr<Truncation> truncation;
  std::optional<RangeLock::Entry> entry{};
};

}  // namespace lunfs::fs

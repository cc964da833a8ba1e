#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>

#include "base/block_device.h"
#include "base/error.h"
#include "base/reactor.h"
#include "base/wake_up.h"

namespace lunfs::testing {

enum class Operation {
  kRead,
  kWrite,
  kFlush,
  kUnmap,
  kWriteZeroes,
  kCompareAndWrite,
  kCopy,  ///< offset = where to
  kAllocated,
};

/// One call of a device, as rules see it. A flush has offset and length 0.
struct Request {
  Operation operation;
  std::uint64_t offset;
  std::uint64_t length;
};

/// Passes everything on to another device, but for what its rules catch. Rules are asked in the
/// order in which they were made; the first that matches decides. What fails or is held has no
/// effect on the inner device (yet).
class FaultDevice final : public BlockDevice {
 public:
  using Matcher = std::function<bool(const Request&)>;

  /// Both outlive this.
  FaultDevice(Reactor& reactor, BlockDevice& inner) : reactor_(reactor), inner_(inner) {}

  /// Fails the n-th operation from now, 1 = the next, once.
  void fail_nth(std::size_t n, Error error);
  /// Fails every operation that matches.
  void fail_matching(Matcher matcher, Error error);
  /// Every operation that matches waits for release(), its context's deadline or its cancellation.
  void hold_matching(Matcher matcher);

  /// Lets all held operations go on, and forgets the rules that held them.
  void release();
  /// Forgets the rules that fail.
  void heal();
  /// How many operations wait now.
  [[nodiscard]] std::size_t held() const noexcept { return held_.size(); }

  [[nodiscard]] Geometry geometry() const noexcept override { return inner_.geometry(); }

 protected:
  Task<void> do_read(RequestContext& context, std::uint64_t offset, IoSpan out) override;
  Task<void> do_write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                      WriteFlags flags) override;
  Task<void> do_flush(RequestContext& context) override;
  Task<void> do_unmap(RequestContext& context, std::uint64_t offset, std::uint64_t length) override;
  Task<void> do_write_zeroes(RequestContext& context, std::uint64_t offset, std::uint64_t length,
                             bool may_unmap) override;
  Task<bool> do_compare_and_write(RequestContext& context, std::uint64_t offset,
                                  ConstIoSpan expected, ConstIoSpan in) override;
  Task<void> do_copy(RequestContext& context, std::uint64_t from, std::uint64_t to,
                     std::uint64_t length) override;
  Task<std::vector<Extent>> do_allocated(RequestContext& context, std::uint64_t offset,
                                         std::uint64_t length) override;

 private:
  struct Rule {
    Matcher matcher;
    std::optional<Error> error;  ///< none: hold
  };
  struct Held {
    explicit Held(Reactor& reactor) : wake_up(reactor) {}
    WakeUp wake_up;
    bool released = false;
  };

  /// Ends when the operation may go on; throws what a rule says.
  Task<void> pass(RequestContext& context, Request request);
  Task<void> hold(RequestContext& context);

  Reactor& reactor_;
  BlockDevice& inner_;
  std::list<Rule> rules_;
  std::list<Held*> held_;
};

}  // namespace lunfs::testing

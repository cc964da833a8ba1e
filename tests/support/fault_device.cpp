#include "tests/support/fault_device.h"

#include <utility>

namespace lunfs::testing {

void FaultDevice::fail_nth(std::size_t n, Error error) {
  fail_matching([n](const Request&) mutable { return n > 0 && --n == 0; }, std::move(error));
}

void FaultDevice::fail_matching(Matcher matcher, Error error) {
  rules_.push_back({std::move(matcher), std::move(error)});
}

void FaultDevice::hold_matching(Matcher matcher) {
  rules_.push_back({std::move(matcher), std::nullopt});
}

void FaultDevice::release() {
  rules_.remove_if([](const Rule& rule) { return !rule.error; });
  for (Held* held : held_) {
    held->released = true;
    held->wake_up.wake();
  }
  held_.clear();
}

void FaultDevice::heal() {
  rules_.remove_if([](const Rule& rule) { return rule.error.has_value(); });
}

Task<void> FaultDevice::pass(RequestContext& context, Request request) {
  for (const Rule& rule : rules_) {
    if (!rule.matcher(request)) continue;
    if (rule.error) throw *rule.error;
    co_await hold(context);
    co_return;
  }
}

Task<void> FaultDevice::hold(RequestContext& context) {
  struct Listed {
    std::list<Held*>& list;
    Held& held;
    ~Listed() { list.remove(&held); }
  };
  Held held(reactor_);
  held_.push_back(&held);
  const Listed listed{held_, held};
  while (!held.released) {
    context.check();
    co_await held.wake_up.until(context);
  }
}

Task<void> FaultDevice::do_read(RequestContext& context, std::uint64_t offset, IoSpan out) {
  co_await pass(context, {Operation::kRead, offset, out.size()});
  co_await inner_.read(context, offset, out);
}

Task<void> FaultDevice::do_write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                                 WriteFlags flags) {
  co_await pass(context, {Operation::kWrite, offset, in.size()});
  co_await inner_.write(context, offset, in, flags);
}

Task<void> FaultDevice::do_flush(RequestContext& context) {
  co_await pass(context, {Operation::kFlush, 0, 0});
  co_await inner_.flush(context);
}

Task<void> FaultDevice::do_unmap(RequestContext& context, std::uint64_t offset,
                                 std::uint64_t length) {
  co_await pass(context, {Operation::kUnmap, offset, length});
  co_await inner_.unmap(context, offset, length);
}

Task<void> FaultDevice::do_write_zeroes(RequestContext& context, std::uint64_t offset,
                                        std::uint64_t length, bool may_unmap) {
  co_await pass(context, {Operation::kWriteZeroes, offset, length});
  co_await inner_.write_zeroes(context, offset, length, may_unmap);
}

Task<bool> FaultDevice::do_compare_and_write(RequestContext& context, std::uint64_t offset,
                                             ConstIoSpan expected, ConstIoSpan in) {
  co_await pass(context, {Operation::kCompareAndWrite, offset, in.size()});
  co_return co_await inner_.compare_and_write(context, offset, expected, in);
}

Task<void> FaultDevice::do_copy(RequestContext& context, std::uint64_t from, std::uint64_t to,
                                std::uint64_t length) {
  co_await pass(context, {Operation::kCopy, to, length});
  co_await inner_.copy(context, from, to, length);
}

Task<std::vector<Extent>> FaultDevice::do_allocated(RequestContext& context, std::uint64_t offset,
                                                    std::uint64_t length) {
  co_await pass(context, {Operation::kAllocated, offset, length});
  co_return co_await inner_.allocated(context, offset, length);
}

}  // namespace lunfs::testing

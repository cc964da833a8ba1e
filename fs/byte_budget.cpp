#include "fs/byte_budget.h"

#include "base/error.h"

namespace lunfs::fs {

void ByteBudget::give_back(std::size_t bytes) {
  used_ -= bytes;
  admit();
}

void ByteBudget::admit() {
  while (!waiters_.empty() && fits(waiters_.front()->bytes)) {
    Waiter& next = *waiters_.front();
    waiters_.pop_front();
    next.granted = true;
    used_ += next.bytes;
    next.wake_up.wake();
  }
}

Task<ByteBudget::Share> ByteBudget::take(RequestContext& context, std::size_t bytes) {
  if (std::optional<Share> share = take_at_once(context, bytes)) co_return *std::move(share);
  Waiter waiter(reactor_, bytes);
  const auto place = waiters_.insert(waiters_.end(), &waiter);
  co_await waiter.wake_up.until(context);
  if (!waiter.granted) {
    waiters_.erase(place);
    admit();  // the next one may be smaller
    context.check();
    throw Error(ErrorKind::kCancelled, "the wait for buffer space was ended");
  }
  co_return Share(this, bytes);
}

}  // namespace lunfs::fs

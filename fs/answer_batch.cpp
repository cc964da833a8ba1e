#include "fs/answer_batch.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/iovecs.h"
#include "base/log.h"

namespace lunfs::fs {

namespace {

/// `size` is at most that of `out`.
void copy(std::span<const iovec> parts, std::span<std::byte> out) noexcept {
  for (const iovec& part : parts) {
    if (part.iov_len != 0) std::memcpy(out.data(), part.iov_base, part.iov_len);
    out = out.subspan(part.iov_len);
  }
}

}  // namespace

AnswerBatch::AnswerBatch(WriteRing::Mode mode)
    : ring_(mode), answers_(WriteRing::kMost), writes_(WriteRing::kMost) {
  log::debug("answers to the kernel go {}",
             ring_.mode() == WriteRing::Mode::kTogether ? "together" : "one by one");
}

void AnswerBatch::begin(Reactor& reactor, int fd) {
  before_reading_ = reactor.after_handlers([this] { flush(); });
  turn_end_ = reactor.at_turn_end([this] { flush(); });
  fd_ = fd;  // last: what is taken is flushed
}

void AnswerBatch::end() noexcept {
  flush();
  fd_ = -1;
  before_reading_ = {};
  turn_end_ = {};
}

ssize_t AnswerBatch::add(std::span<const iovec> parts) noexcept {
  SlabPool::Slab slab = std::move(kept_);
  if (used_ == answers_.size() || payload_bytes_ >= kMostPayload) flush();
  if (fd_ != -1 && take(parts, slab)) return static_cast<ssize_t>(size_of(parts));
  return writev(fd_, parts.data(), static_cast<int>(parts.size()));
}

/// False if this answer has to go at once.
bool AnswerBatch::take(std::span<const iovec> parts, SlabPool::Slab& slab) noexcept {
  Answer& answer = answers_[used_];
  const std::size_t size = size_of(parts);
  if (size <= kCopiedBytes) {
    copy(parts, answer.copied);
    answer.parts[0] = {answer.copied.data(), size};
    answer.count = 1;
  } else if (parts.size() == 2 && parts[0].iov_len <= kCopiedBytes && slab.valid() &&
             parts[1].iov_base == slab.data() && parts[1].iov_len <= kLongestPayload) {
    copy(parts.first(1), answer.copied);
    answer.parts = {iovec{answer.copied.data(), parts[0].iov_len}, parts[1]};
    answer.count = 2;
    answer.slab = std::move(slab);
    payload_bytes_ += parts[1].iov_len;
  } else {
    return false;
  }
  ++used_;
  return true;
}

void AnswerBatch::flush() noexcept {
  if (used_ == 0) return;
  const std::size_t count = std::exchange(used_, 0);
  payload_bytes_ = 0;
  const std::span<WriteRing::Write> writes = std::span(writes_).first(count);
  for (std::size_t i = 0; i < count; ++i) {
    writes[i].parts = std::span(answers_[i].parts).first(answers_[i].count);
  }
  ring_.run(fd_, writes);
  for (std::size_t i = 0; i < count; ++i) {
    settle(writes[i]);
    SlabPool::Slab(std::move(answers_[i].slab));
  }
}

/// Tries once more what has failed: whoever waits for that answer would wait for ever.
void AnswerBatch::settle(WriteRing::Write& write) noexcept {
  const ssize_t first = write.result;
  if (first >= 0 || first == -ENOENT) return;
  ring_.run(fd_, {&write, 1});
  if (write.result >= 0) return;
  const bool was_there = first == WriteRing::kUnknown && write.result == -ENOENT;
  if (!was_there) {
    log::error("an answer did not reach the kernel: {}", std::strerror(static_cast<int>(-first)));
  }
}

}  // namespace lunfs::fs

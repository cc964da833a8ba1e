#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "base/reactor.h"
#include "base/write_ring.h"
#include "fs/slab_pool.h"

namespace lunfs::fs {

/// Answers on their way to the kernel: those of a turn go together, before more requests are
/// read and at the end of the turn, by one system call where the kernel has io_uring. Each answer
/// wakes who asked; one by one each of them takes the processor before the next answer is written.
/// docs/performance.md. The reactor's thread only, but for the constructor.
class AnswerBatch {
 public:
  /// Longer answers go at once, while the processor's cache still holds them.
  static constexpr std::size_t kLongestPayload = 64U << 10U;
  /// When those that wait have so many bytes of data together, they go before one more is taken.
  static constexpr std::size_t kMostPayload = 512U << 10U;

  explicit AnswerBatch(WriteRing::Mode mode = WriteRing::Mode::kTogether);
  AnswerBatch(const AnswerBatch&) = delete;
  AnswerBatch& operator=(const AnswerBatch&) = delete;
  ~AnswerBatch() { end(); }

  /// Answers go to `fd`, which stays open until end(). Adds hooks to `reactor`, which outlives
  /// this; that of who reads requests is added later.
  void begin(Reactor& reactor, int fd);
  /// Writes what was taken. Later answers go nowhere.
  void end() noexcept;

  /// The payload of the next answer lies in `slab`, which is kept until that answer is out.
  void keep(SlabPool::Slab slab) noexcept { kept_ = std::move(slab); }
  /// Takes an answer, its header first, as libfuse gives it to writev(2), with the result of that.
  /// What is not in the slab is copied or written at once. That an answer which was taken fails is
  /// logged, unless nobody waits for it any more.
  ssize_t add(std::span<const iovec> parts) noexcept;
  /// Writes what was taken.
  void flush() noexcept;

 private:
  /// Of header and payload: all answers but data, names and listings.
  static constexpr std::size_t kCopiedBytes = 256;

  struct Answer {
    std::array<std::byte, kCopiedBytes> copied{};
    std::array<iovec, 2> parts{};
    std::size_t count = 0;  ///< of the parts that are used
    SlabPool::Slab slab{};
  };

  [[nodiscard]] bool take(std::span<const iovec> parts, SlabPool::Slab& slab) noexcept;
  void settle(WriteRing::Write& write) noexcept;

  int fd_ = -1;
  WriteRing ring_;
  std::vector<Answer> answers_;           ///< of WriteRing::kMost; the first used_ of them wait
  std::vector<WriteRing::Write> writes_;  ///< as many
  std::size_t used_ = 0;
  std::size_t payload_bytes_ = 0;  ///< of them, in slabs
  SlabPool::Slab kept_;
  Reactor::Hook before_reading_;
  Reactor::Hook turn_end_;
};

}  // namespace lunfs::fs

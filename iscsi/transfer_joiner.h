#pragma once

#include <coroutine>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/block_device.h"
#include "base/reactor.h"
#include "base/request_context.h"

namespace lunfs::iscsi {

/// A read or a write of whole logical blocks.
struct Transfer {
  std::uint64_t offset = 0;  ///< bytes
  IoSpan in{};               ///< of a read
  ConstIoSpan out{};         ///< of a write; one of the two is empty
  /// See RequestContext. Transfers go together only if they can only be taken back together.
  const Revocation* revocation = nullptr;
  const Cancellation* cancellation = nullptr;  ///< see RequestContext; null: nobody can give it up
  std::optional<RequestContext::Clock::time_point> due{};  ///< see ScsiCommand

  [[nodiscard]] bool is_write() const noexcept { return !out.empty(); }
  [[nodiscard]] std::uint64_t length() const noexcept { return in.size() + out.size(); }
  [[nodiscard]] std::uint64_t end() const noexcept { return offset + length(); }
};

/// Several transfers of one direction that lie one behind the other on the LUN.
struct JoinedTransfer {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::vector<IoSpan> in;
  std::vector<ConstIoSpan> out;
  const Revocation* revocation = nullptr;                  ///< of all parts
  std::vector<const Cancellation*> cancellations;          ///< of each part
  std::optional<RequestContext::Clock::time_point> due{};  ///< the earliest of those that have one
};

/// What became of a transfer.
enum class Joined {
  kAlone,     ///< it has no neighbour in this turn, or nothing was sent: the caller moves it alone
  kMoved,     ///< it was moved together with neighbours
  kNotMoved,  ///< their command was sent and failed: the caller moves it alone
};

/// Finds the neighbours among the transfers that come in one turn of the loop (one drain of
/// /dev/fuse) and lets each such run go as one command: to a target a command costs about as much
/// as the 4 KiB that it moves. Nobody waits for more to come; a lone transfer goes in the same
/// turn. docs/performance.md. Belongs to the reactor's thread.
class TransferJoiner {
 public:
  /// Moves a run by one command. If not kMoved its parts are to be tried one by one. What it throws
  /// goes to all of them.
  using Send = std::function<Task<Joined>(const JoinedTransfer& run)>;

  /// Longer ones gain nothing by company.
  static constexpr std::uint64_t kMaxPartBytes = 128U << 10U;
  static constexpr std::uint64_t kMaxJoinedBytes = 256U << 10U;
  static constexpr std::size_t kMaxParts = 64;

  /// `reactor` outlives this. @param max_transfer_bytes  the longest command of the LUN
  TransferJoiner(Reactor& reactor, std::uint64_t max_transfer_bytes, Send send);

  /// Ends when it is known which it is.
  Task<Joined> join(Transfer transfer);

 private:
  struct Entry;
  struct Settled;

  void dispatch();
  void settle(Entry& entry, Joined outcome);
  Task<void> move_together(std::vector<Entry*> members);
  [[nodiscard]] bool fits_behind(std::span<Entry* const> run, const Entry& next) const;

  Reactor& reactor_;
  std::uint64_t max_joined_bytes_;
  Send send_;
  std::vector<Entry*> pending_;  ///< of this turn; bounded by the requests in flight
  std::vector<Entry*> spare_;    ///< empty: memory for the next turn's
};

}  // namespace lunfs::iscsi

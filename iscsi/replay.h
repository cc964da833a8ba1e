#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/request_context.h"
#include "base/task.h"
#include "iscsi/command_port.h"
#include "iscsi/lun.h"
#include "iscsi/lun_features.h"
#include "iscsi/retry_policy.h"
#include "iscsi/unflushed.h"

namespace lunfs::iscsi {

/// Makes again, over a new session, the changes that a LUN has acknowledged and no flush has
/// covered, in the order of their acknowledgement. They stay in the journal until a flush covers
/// them, so that a session that is lost in the middle, or soon after, costs nothing.
///
/// A change that the LUN refuses for good is left out, told in the log with its place, and counts
/// as a loss. One that gets no answer ends the try; the next session's begins at the first change
/// again. If one is in the way of all tries for `patience` it counts as refused. Belongs to the
/// reactor's thread.
class Replay {
 public:
  struct Manners {
    std::uint16_t number = 0;  ///< of the LUN
    RetryLimits retries{};
    std::chrono::seconds patience{};
  };

  Replay(std::shared_ptr<Unflushed> unflushed, const Manners& manners)
      : unflushed_(std::move(unflushed)), manners_(manners) {}

  /// Nothing else is sent to the LUN meanwhile. `self` lives as long as it takes.
  /// @param features  of the LUN as it stands there now
  /// Errors: the port's; kBusy, kNotFound if the LUN is not ready. Another session is needed then.
  static Task<void> run(std::shared_ptr<Replay> self, RequestContext& context, CommandPort& port,
                        LunFeatures features);

 private:
  using Number = WriteJournal::Number;
  struct Sum {
    std::uint64_t changes = 0;
    std::uint64_t bytes = 0;
  };

  Task<void> make_all(RequestContext& context, CommandPort& port, LunFeatures features);
  Task<void> make_together(RequestContext& context, Lun& lun, Number from, Number to);
  Task<void> make_one(RequestContext& context, Lun& lun, Number number);
  Task<void> send(RequestContext& context, Lun& lun, Number number);
  [[nodiscard]] Number end_of_batch(Number from) const noexcept;
  void passed(Number number) noexcept;
  bool give_up_on(Number from, Number to, const Error& error);
  void refuse(Number number, const Error& error);
  [[nodiscard]] Sum sum() const noexcept;

  std::shared_ptr<Unflushed> unflushed_;
  Manners manners_;
  unsigned refused_ = 0;  ///< in this run
  /// In these one failed: they go one by one, so that it is known which.
  Number doubtful_from_ = 0;
  Number doubtful_to_ = 0;
  std::optional<Number> stuck_at_;  ///< the one that failed
  RequestContext::Clock::time_point stuck_since_{};
};

}  // namespace lunfs::iscsi

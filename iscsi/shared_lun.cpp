// The part of SessionKeeper that is about other sessions with its LUN.

#include "iscsi/shared_lun.h"

#include <fmt/format.h>

#include <utility>

#include "iscsi/sense.h"
#include "iscsi/session_keeper.h"

namespace lunfs::iscsi {

namespace {

/// How often it is looked whether the others let this one send its writes.
constexpr std::chrono::milliseconds kLookEvery{20};

}  // namespace

bool SessionKeeper::others_have_news(const ScsiCommand& command) const noexcept {
  const SharedLun* shared = options_.shared.get();
  if (shared == nullptr) return false;
  return shared->refused.any() || shared->doubts.load() != doubts_seen_ ||
         (command.out_size() != 0 && shared->late_write.any());
}

/// The target has answered that its LUNs have changed.
void SessionKeeper::take_doubt(const std::shared_ptr<Session>& session,
                               const CommandResult& because) {
  const bool up = phase_ == Phase::kUp || phase_ == Phase::kChecking;
  const bool news = up && session == session_;
  if (news && options_.shared) doubts_seen_ = ++options_.shared->doubts;
  look_again(session, sense_text(*because.sense));
}

/// Ends when the other sessions' state lets this one send the command, or when it is not up.
Task<void> SessionKeeper::heed_others(RequestContext& context, Clock::time_point since,
                                      const ScsiCommand& command) {
  const SharedLun& shared = *options_.shared;
  const std::uint64_t doubts = shared.doubts.load();
  if (std::exchange(doubts_seen_, doubts) != doubts) {
    look_again(session_, "the target told another session that its LUNs have changed");
    co_return;
  }
  const bool writes = command.out_size() != 0;
  while (writes && shared.late_write.any() && !shared.refused.any() && phase_ == Phase::kUp) {
    if (command.once || Clock::now() >= due_of(command, since)) {
      throw Error(ErrorKind::kUnreachable,
                  fmt::format("{} is not sent: another session was lost with a write that may "
                              "still be carried out",
                              command_name(command.cdb)))
          .because("the target, or the network to it, is down for one of several sessions")
          .advise("bring it back: writes work again by themselves then");
    }
    // It is another thread's news, and rare: it is looked for.
    co_await reactor_.sleep_until(context, Clock::now() + kLookEvery);
  }
  if (shared.refused.any() && phase_ == Phase::kUp) {
    throw Error(ErrorKind::kIo,
                "another session of this mount found another LUN or a changed VG in its place, so "
                "this one is not used either")
        .because("the array's LUNs were mapped anew, or a host changed the VG")
        .advise("see what the log says of that session");
  }
}

/// The command's caller is told that it has failed, but the lost session may have sent it.
void SessionKeeper::note_late_write(const ScsiCommand& command) noexcept {
  if (!options_.shared || phase_ != Phase::kLost || command.out_size() == 0) return;
  options_.shared->late_write.set(late_write_told_);
}

}  // namespace lunfs::iscsi

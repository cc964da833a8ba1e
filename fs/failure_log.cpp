#include "fs/failure_log.h"

#include "base/log.h"

namespace lunfs::fs {

void FailureLog::note(Operation operation, const Error& error) {
  if (error.kind() == ErrorKind::kCancelled) return;
  // A close or fsync tells later of a write that failed.
  const bool late = operation == Operation::kFlush;
  if (error.kind() == ErrorKind::kNoSpace && !late) return space_.refused(error);
  log::Rate& rate =
      rates_[static_cast<std::size_t>(operation)][static_cast<std::size_t>(error.kind())];
  const log::Rate::Verdict verdict = rate.next();
  if (!verdict.say) return;
  if (verdict.unsaid > 0) {
    log::error("{} failed ({}): {} times more since the last line, not told one by one",
               name_of(operation), to_string(error.kind()), verdict.unsaid);
  }
  log::error("{} failed ({}): {}", name_of(operation), to_string(error.kind()), error.message());
}

}  // namespace lunfs::fs

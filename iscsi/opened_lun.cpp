#include "iscsi/opened_lun.h"

#include <utility>

#include "iscsi/replay.h"

namespace lunfs::iscsi {

namespace {

LunFeatures within(Access access, LunFeatures features) {
  if (access == Access::kReadOnly) features.geometry.read_only = true;
  return features;
}

std::shared_ptr<RangeLock::Line> line_of(std::shared_ptr<SharedLun> shared) {
  if (!shared) return nullptr;
  RangeLock::Line* line = &shared->writes;
  return {std::move(shared), line};
}

}  // namespace

OpenedLun::OpenedLun(std::shared_ptr<CommandPort> port, std::uint16_t number, LunFeatures features,
                     Manners manners)
    : port_(std::move(port)),
      number_(number),
      runner_(*port_, manners.retries, number),
      lun_(runner_, within(manners.access, std::move(features)), manners.journal_bytes,
           manners.patience),
      bytes_(port_->reactor(), lun_, line_of(std::move(manners.shared))) {
  port_->set_on_looked([this](const LunFeatures& found, CommandPort::Looked how) {
    if (how == CommandPort::Looked::kNewSession) lun_.note_new_session(found);
    lun_.note_growth(found);
  });
  if (manners.journal_bytes == 0) return;
  const auto replay = std::make_shared<Replay>(
      lun_.unflushed(),
      Replay::Manners{.number = number, .retries = manners.retries, .patience = manners.patience});
  port_->set_unsaved(
      {.any = [unflushed = lun_.unflushed()] { return unflushed->can_write_again(); },
       .write_again =
           [replay](RequestContext& context, CommandPort& session, const LunFeatures& found) {
             return Replay::run(replay, context, session, found);
           },
       .count_loss = [unflushed = lun_.unflushed()] { unflushed->count_loss(); }});
}

OpenedLun::~OpenedLun() { port_->close(); }

SessionNames OpenedLun::names() const {
  SessionNames names = port_->names();
  names.lun = number_;
  return names;
}

/// A flush in the background ends with the session, in this turn or the next one.
Task<void> OpenedLun::logout(RequestContext& context) {
  co_await port_->logout(context);
  co_await lun_.background_ended();
}

void OpenedLun::set_resume_guard(ResumeGuard guard) { port_->set_guard(std::move(guard)); }

Task<void> OpenedLun::do_read(RequestContext& context, std::uint64_t offset, IoSpan out) {
  return bytes_.read(context, offset, out);
}

Task<void> OpenedLun::do_write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                               WriteFlags flags) {
  return bytes_.write(context, offset, in, flags);
}

Task<void> OpenedLun::do_flush(RequestContext& context) { return bytes_.flush(context); }

Task<void> OpenedLun::do_unmap(RequestContext& context, std::uint64_t offset,
                               std::uint64_t length) {
  return bytes_.unmap(context, offset, length);
}

Task<void> OpenedLun::do_write_zeroes(RequestContext& context, std::uint64_t offset,
                                      std::uint64_t length, bool may_unmap) {
  return bytes_.write_zeroes(context, offset, length, may_unmap);
}

Task<bool> OpenedLun::do_compare_and_write(RequestContext& context, std::uint64_t offset,
                                           ConstIoSpan expected, ConstIoSpan in) {
  return bytes_.compare_and_write(context, offset, expected, in);
}

Task<void> OpenedLun::do_copy(RequestContext& context, std::uint64_t from, std::uint64_t to,
                              std::uint64_t length) {
  return bytes_.copy(context, from, to, length);
}

Task<std::vector<Extent>> OpenedLun::do_allocated(RequestContext& context, std::uint64_t offset,
                                                  std::uint64_t length) {
  return bytes_.allocated(context, offset, length);
}

}  // namespace lunfs::iscsi

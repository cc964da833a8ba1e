#include "iscsi/target_session.h"

#include <utility>

#include "base/unaligned_device.h"
#include "iscsi/command_runner.h"
#include "iscsi/lun.h"
#include "iscsi/lun_probe.h"
#include "iscsi/session.h"

namespace lunfs::iscsi {

namespace {

/// A LUN on a session, and the bytes view over it.
class OpenedLun final : public LunDevice {
 public:
  /// Who writes to the LUN.
  struct Writers {
    Reactor& reactor;
    std::shared_ptr<RangeLock::Line> line;  ///< see LunOptions
  };

  OpenedLun(Writers writers, std::shared_ptr<Session> session,
            std::unique_ptr<CommandRunner> runner, std::uint16_t number, LunFeatures features)
      : session_(std::move(session)),
        number_(number),
        runner_(std::move(runner)),
        lun_(*runner_, std::move(features)),
        bytes_(writers.reactor, lun_, std::move(writers.line)) {}

  [[nodiscard]] Geometry geometry() const noexcept override { return bytes_.geometry(); }
  [[nodiscard]] const LunFeatures& features() const noexcept override { return lun_.features(); }
  [[nodiscard]] SessionNames names() const override {
    const Connection& connection = session_->connection();
    const ConnectionOptions& options = connection.options();
    return {.initiator = options.initiator_name,
            .target = options.target ? options.target->text() : std::string(),
            .lun = number_,
            .portal = connection.address().text(),
            .chap = options.chap.method()};
  }
  [[nodiscard]] bool connected() const noexcept override { return !session_->connection().ended(); }
  [[nodiscard]] SessionStats stats() const noexcept override { return session_->stats(); }

  Task<void> logout(RequestContext& context) override {
    co_await session_->connection().logout(context);
  }

 protected:
  Task<void> do_read(RequestContext& context, std::uint64_t offset, IoSpan out) override {
    return bytes_.read(context, offset, out);
  }
  Task<void> do_write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                      WriteFlags flags) override {
    return bytes_.write(context, offset, in, flags);
  }
  Task<void> do_flush(RequestContext& context) override { return bytes_.flush(context); }
  Task<void> do_unmap(RequestContext& context, std::uint64_t offset,
                      std::uint64_t length) override {
    return bytes_.unmap(context, offset, length);
  }
  Task<void> do_write_zeroes(RequestContext& context, std::uint64_t offset, std::uint64_t length,
                             bool may_unmap) override {
    return bytes_.write_zeroes(context, offset, length, may_unmap);
  }
  Task<bool> do_compare_and_write(RequestContext& context, std::uint64_t offset,
                                  ConstIoSpan expected, ConstIoSpan in) override {
    return bytes_.compare_and_write(context, offset, expected, in);
  }
  Task<void> do_copy(RequestContext& context, std::uint64_t from, std::uint64_t to,
                     std::uint64_t length) override {
    return bytes_.copy(context, from, to, length);
  }
  Task<std::vector<Extent>> do_allocated(RequestContext& context, std::uint64_t offset,
                                         std::uint64_t length) override {
    return bytes_.allocated(context, offset, length);
  }

 private:
  std::shared_ptr<Session> session_;
  std::uint16_t number_;
  std::unique_ptr<CommandRunner> runner_;
  Lun lun_;
  UnalignedDevice bytes_;
};

}  // namespace

TargetSession::TargetSession(Reactor& reactor, std::unique_ptr<Connection> connection,
                             std::chrono::milliseconds command_timeout, const RetryLimits& retries)
    : reactor_(reactor),
      session_(std::make_shared<Session>(std::move(connection), 0, command_timeout)),
      retries_(retries) {}

Task<std::vector<std::uint16_t>> TargetSession::luns(RequestContext& context) {
  CommandRunner runner(*session_, retries_);
  co_return co_await report_luns(context, runner);
}

Task<std::unique_ptr<LunDevice>> TargetSession::open(RequestContext& context, std::uint16_t lun,
                                                     Access access,
                                                     std::shared_ptr<RangeLock::Line> writes) {
  auto runner = std::make_unique<CommandRunner>(*session_, retries_, lun);
  LunFeatures features = co_await probe_lun(context, *runner, lun);
  if (access == Access::kReadOnly) features.geometry.read_only = true;
  OpenedLun::Writers writers{reactor_, std::move(writes)};
  co_return std::make_unique<OpenedLun>(std::move(writers), session_, std::move(runner), lun,
                                        std::move(features));
}

Task<void> TargetSession::logout(RequestContext& context) {
  co_await session_->connection().logout(context);
}

Connection& TargetSession::connection() noexcept { return session_->connection(); }

}  // namespace lunfs::iscsi

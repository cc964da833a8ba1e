#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/file_device.h"
#include "base/unaligned_device.h"
#include "iscsi/command_port.h"
#include "iscsi/command_runner.h"
#include "iscsi/lun.h"
#include "iscsi/open_lun.h"
#include "iscsi/retry_policy.h"

namespace lunfs::iscsi {

/// A LUN behind a port, and the bytes view over it.
class OpenedLun final : public LunDevice {
 public:
  /// How it is used; see LunOptions.
  struct Manners {
    Access access;
    RetryLimits retries;
    std::shared_ptr<SharedLun> shared;
    std::size_t journal_bytes = 0;
    std::chrono::seconds patience{};  ///< see Replay, Unflushed
  };

  /// @param features  what probe_lun() found; with Access::kReadOnly no command that changes the
  ///                  LUN can be sent, whatever it says of itself
  OpenedLun(std::shared_ptr<CommandPort> port, std::uint16_t number, LunFeatures features,
            Manners manners);
  OpenedLun(const OpenedLun&) = delete;
  OpenedLun& operator=(const OpenedLun&) = delete;
  ~OpenedLun() override;

  [[nodiscard]] Geometry geometry() const noexcept override { return bytes_.geometry(); }
  [[nodiscard]] const LunFeatures& features() const noexcept override { return lun_.features(); }
  [[nodiscard]] SessionNames names() const override;
  [[nodiscard]] SessionState state() const override { return port_->state(); }
  [[nodiscard]] std::vector<PathReport> paths() const override { return port_->paths(); }
  [[nodiscard]] SessionStats stats() const noexcept override { return port_->stats(); }
  [[nodiscard]] std::uint64_t losses() const noexcept override {
    return lun_.unflushed()->losses();
  }
  [[nodiscard]] bool failed_late() const noexcept override { return port_->late_failure()->any(); }
  [[nodiscard]] JournalStats journal() const noexcept override { return lun_.unflushed()->stats(); }
  void forget_unflushed(const std::string& why) override { lun_.unflushed()->forget(why); }
  void set_resume_guard(ResumeGuard guard) override;
  Task<void> logout(RequestContext& context) override;

 protected:
  Task<void> do_read(RequestContext& context, std::uint64_t offset, IoSpan out) override;
  Task<void> do_write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                      WriteFlags flags) override;
  Task<void> do_flush(RequestContext& context) override;
  Task<void> do_unmap(RequestContext& context, std::uint64_t offset, std::uint64_t length) override;
  Task<void> do_write_zeroes(RequestContext& context, std::uint64_t offset, std::uint64_t length,
                             bool may_unmap) override;
  Task<bool> do_compare_and_write(RequestContext& context, std::uint64_t offset,
                                  ConstIoSpan expected, ConstIoSpan in) override;
  Task<void> do_copy(RequestContext& context, std::uint64_t from, std::uint64_t to,
                     std::uint64_t length) override;
  Task<std::vector<Extent>> do_allocated(RequestContext& context, std::uint64_t offset,
                                         std::uint64_t length) override;

 private:
  std::shared_ptr<CommandPort> port_;
  std::uint16_t number_;
  CommandRunner runner_;
  Lun lun_;
  UnalignedDevice bytes_;
};

}  // namespace lunfs::iscsi

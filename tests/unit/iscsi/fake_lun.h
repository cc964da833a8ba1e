#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "iscsi/open_lun.h"
#include "tests/unit/iscsi/fake_target.h"
#include "tests/unit/iscsi/opened.h"

namespace lunfs::testing {

constexpr const char* kFakeIqn = "iqn.2026-11.example:fake";

constexpr std::uint8_t kTestUnitReady = 0x00;
constexpr std::uint8_t kSynchronizeCache = 0x35;
constexpr std::uint8_t kUnmap = 0x42;
constexpr std::uint8_t kRead = 0x88;
constexpr std::uint8_t kWrite = 0x8a;
constexpr std::uint8_t kWriteSame = 0x93;

inline FakeTarget::Reply check_condition(std::uint8_t key, std::uint8_t asc, std::uint8_t ascq) {
  return {.status = 2, .sense = FakeTarget::sense(key, asc, ascq), .data = {}};
}
inline FakeTarget::Reply status(std::uint8_t value) {
  return {.status = value, .sense = {}, .data = {}};
}

/// `reply` to the first `times` commands with `opcode`.
inline FakeTarget::Handler refuse(std::uint8_t opcode, int times, FakeTarget::Reply reply) {
  auto left = std::make_shared<std::atomic<int>>(times);
  return [=](const iscsi::Cdb& cdb) -> std::optional<FakeTarget::Reply> {
    if (cdb.bytes[0] != opcode || left->fetch_sub(1) <= 0) return std::nullopt;
    return reply;
  };
}
constexpr int kAlways = 1 << 30;

/// A LUN of a FakeTarget, opened; quick to try again and to give up.
class FakeLun {
 public:
  /// @param patience  how long a command may go unanswered
  /// @param shared    what other sessions with the LUN know; may be null
  /// @param journal_bytes  see LunOptions
  explicit FakeLun(FakeTarget::Options options,
                   std::chrono::seconds patience = std::chrono::seconds(2),
                   std::shared_ptr<iscsi::SharedLun> shared = nullptr,
                   std::size_t journal_bytes = 0)
      : target(std::move(options)) {
    iscsi::LunOptions lun_options = options_for(target.portal(), kFakeIqn, 1);
    lun_options.command_timeout = patience;
    lun_options.outage_limit = patience;
    lun_options.journal_bytes = journal_bytes;
    lun_options.keep_alive = std::chrono::seconds(1);
    lun_options.retries.first_pause = std::chrono::milliseconds(1);
    lun_options.retries.longest_pause = std::chrono::milliseconds(4);
    lun_options.shared = std::move(shared);
    lun = initiator.open(lun_options);
  }

  FakeLun(const FakeLun&) = delete;
  FakeLun& operator=(const FakeLun&) = delete;
  /// So that no login is under way when the loop is gone.
  ~FakeLun() {
    initiator.run([&](RequestContext& c) { return lun->logout(c); });
  }

  std::vector<std::byte> read(std::uint64_t offset, std::size_t size) {
    std::vector<std::byte> bytes(size);
    initiator.run([&](RequestContext& c) { return lun->read(c, offset, bytes); });
    return bytes;
  }
  void write(std::uint64_t offset, ConstIoSpan bytes, WriteFlags flags = {}) {
    initiator.run([&](RequestContext& c) { return lun->write(c, offset, bytes, flags); });
  }
  void flush() {
    initiator.run([&](RequestContext& c) { return lun->flush(c); });
  }
  template <typename Work>
  static Error fault(Work work) {
    try {
      work();
    } catch (const Error& error) {
      return error;
    }
    return {ErrorKind::kInternal, "no fault"};
  }

  FakeTarget target;
  Initiator initiator;
  std::unique_ptr<iscsi::LunDevice> lun;
};

}  // namespace lunfs::testing

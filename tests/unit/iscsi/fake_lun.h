#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "iscsi/open_lun.h"
#include "tests/unit/iscsi/fake_target.h"
#include "tests/unit/iscsi/opened.h"

namespace lunfs::testing {

constexpr const char* kFakeIqn = "iqn.2026-11.example:fake";

constexpr std::uint8_t kTestUnitReady = 0x00;
constexpr std::uint8_t kInquiry = 0x12;
constexpr std::uint8_t kSynchronizeCache = 0x35;
constexpr std::uint8_t kUnmap = 0x42;
constexpr std::uint8_t kRead = 0x88;
constexpr std::uint8_t kWrite = 0x8a;
constexpr std::uint8_t kWriteSame = 0x93;
constexpr std::uint8_t kReadCapacity = 0x9e;

inline FakeTarget::Reply check_condition(std::uint8_t key, std::uint8_t asc, std::uint8_t ascq) {
  return {.status = 2, .sense = FakeTarget::sense(key, asc, ascq), .data = {}};
}
/// UNIT ATTENTION: reported LUNs data has changed; power on, reset or bus device reset occurred.
inline const FakeTarget::Reply kLunsChanged = check_condition(6, 0x3f, 0x0e);
inline const FakeTarget::Reply kWasReset = check_condition(6, 0x29, 0x00);

/// To READ CAPACITY(16).
inline FakeTarget::Reply capacity(std::uint64_t blocks) {
  FakeTarget::Reply reply{.sense = {}, .data = std::vector<std::byte>(32)};
  store_be<std::uint64_t>(reply.data, 0, blocks - 1);
  store_be<std::uint32_t>(reply.data, 8, 512);
  return reply;
}
inline FakeTarget::Reply status(std::uint8_t value) {
  return {.status = value, .sense = {}, .data = {}};
}

inline const FakeTarget::Reply kHangUp{.sense = {}, .data = {}, .hang_up = true};
inline const FakeTarget::Reply kSilence{.sense = {}, .data = {}, .say_nothing = true};

/// `reply` to the first `times` commands with `opcode`.
inline FakeTarget::Handler refuse(std::uint8_t opcode, int times, FakeTarget::Reply reply) {
  auto left = std::make_shared<std::atomic<int>>(times);
  return [=](const iscsi::Cdb& cdb) -> std::optional<FakeTarget::Reply> {
    if (cdb.bytes[0] != opcode || left->fetch_sub(1) <= 0) return std::nullopt;
    return reply;
  };
}
constexpr int kAlways = 1 << 30;

/// What a test switches and its handlers look at, and the other way round.
using Flag = std::shared_ptr<std::atomic<bool>>;
inline Flag flag(bool value = false) { return std::make_shared<std::atomic<bool>>(value); }

/// `reply` to the next command with `opcode` when the test has set `now`.
inline FakeTarget::Handler once(std::uint8_t opcode, const Flag& now, FakeTarget::Reply reply) {
  return [=](const iscsi::Cdb& cdb) -> std::optional<FakeTarget::Reply> {
    if (cdb.bytes[0] != opcode || !now->exchange(false)) return std::nullopt;
    return reply;
  };
}
/// What the first of them says that has something to say.
inline FakeTarget::Handler first_of(std::vector<FakeTarget::Handler> handlers) {
  return
      [handlers = std::move(handlers)](const iscsi::Cdb& cdb) -> std::optional<FakeTarget::Reply> {
        for (const FakeTarget::Handler& handler : handlers) {
          if (std::optional<FakeTarget::Reply> reply = handler(cdb)) return reply;
        }
        return std::nullopt;
      };
}

/// A login script that refuses by hanging up while `down` is true.
inline FakeTarget::LoginScript refusing(const Flag& down) {
  return [down](int round, const std::string& /*text*/) {
    FakeTarget::LoginReply reply;
    reply.hang_up = *down;
    if (reply.hang_up) {
      reply.status = 0x0301;
      return reply;
    }
    reply.current_stage = round == 0 ? 0 : 1;
    reply.next_stage = round == 0 ? 1 : 3;
    if (round == 0) reply.keys = {"AuthMethod=None"};
    return reply;
  };
}

/// Tells of half the blocks while `other` is true: another LUN. Else what `more` says.
inline FakeTarget::Handler other_lun(const Flag& other, FakeTarget::Handler more = {}) {
  return [=](const iscsi::Cdb& cdb) -> std::optional<FakeTarget::Reply> {
    if (!*other || cdb.bytes[0] != kReadCapacity) return more ? more(cdb) : std::nullopt;
    return capacity(2048);
  };
}

/// A LUN of a FakeTarget, opened; quick to try again and to give up.
class FakeLun {
 public:
  /// @param patience  how long an outage may last, and a command go unanswered unless
  ///                  `command_timeout` tells
  /// @param shared    what other sessions with the LUN know; may be null
  /// @param journal_bytes  see LunOptions
  explicit FakeLun(FakeTarget::Options options,
                   std::chrono::seconds patience = std::chrono::seconds(2),
                   std::shared_ptr<iscsi::SharedLun> shared = nullptr,
                   std::size_t journal_bytes = 0,
                   std::optional<std::chrono::seconds> command_timeout = {})
      : target(std::move(options)) {
    iscsi::LunOptions lun_options = options_for(target.portal(), kFakeIqn, 1);
    lun_options.command_timeout = command_timeout.value_or(patience);
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

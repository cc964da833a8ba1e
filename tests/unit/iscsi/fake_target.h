#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/file_descriptor.h"
#include "iscsi/lun_url.h"
#include "iscsi/scsi_command.h"

namespace lunfs::testing {

/// A small iSCSI target that does what a test tells it, right or wrong: a login by script, and one
/// LUN in memory whose answers can be replaced command by command.
///
/// Serves one connection after the other on a thread of its own, which also calls the script and
/// the handler: what they share with the test must be atomic or locked.
class FakeTarget {
 public:
  /// An answer to a login request, and what to do then.
  struct LoginReply {
    bool transit = true;
    unsigned current_stage = 1;  ///< CSG: 0 security, 1 operational
    unsigned next_stage = 3;     ///< NSG: 3 full feature
    std::uint16_t status = 0;
    std::vector<std::string> keys;
    std::string raw;           ///< sent in place of a PDU if not empty
    bool hang_up = false;      ///< closes behind it
    bool say_nothing = false;  ///< sends nothing, and keeps the connection open
    bool twice = false;        ///< sends the PDU twice at once
  };
  /// Called with the number of the request in this login, from 0, and its text.
  using LoginScript = std::function<LoginReply(int round, const std::string& text)>;

  /// An answer to a SCSI command.
  struct Reply {
    std::uint8_t status = 0;
    std::uint8_t response = 0;  ///< iSCSI response: 0 = the command was completed
    std::vector<std::byte> sense{};
    std::vector<std::byte> data{};
    std::uint32_t underflow = 0;    ///< bytes that the residual count says are missing
    bool no_residual = false;       ///< does not tell that data is missing
    std::uint32_t data_offset = 0;  ///< where the data says that it begins
    bool say_nothing = false;
    bool hang_up = false;
    bool early = false;  ///< answers a write before its data has come
    bool cut = false;    ///< the target resets the connection right behind it
  };
  /// Nullopt: the LUN answers as it should.
  using Handler = std::function<std::optional<Reply>(const iscsi::Cdb& cdb)>;

  struct Options {
    LoginScript login;  ///< none: every login is accepted
    Handler handler;    ///< none: the LUN answers everything
    std::uint64_t blocks = 4096;
    std::uint32_t block_size_bytes = 512;
    std::uint8_t max_compare_and_write = 0;
    std::uint32_t max_transfer_blocks = 0;
    bool write_cache = true;
    bool fua = false;
    bool write_protected = false;
    bool thin = false;  ///< LBPME, LBPRZ, LBPU, LBPWS, a WRITE SAME limit
    bool ignore_pings = false;
    std::optional<std::uint16_t> portal_group{};  ///< TargetPortalGroupTag; none: not told
    /// The response to LOGICAL UNIT RESET, 0 = done; none: it is not answered.
    std::optional<std::uint8_t> reset_response = 0;
    int resets_ignored = 0;     ///< so many LOGICAL UNIT RESETs are not answered in any case
    std::uint32_t window = 64;  ///< so many commands may be unanswered (MaxCmdSN)
    std::vector<std::string> discovery = {"TargetName=iqn.2026-11.example:fake"};  ///< SendTargets
    std::byte padding{0};           ///< what stands behind data that ends in the middle of a word
    bool unsolicited_data = false;  ///< InitialR2T=No, segments of 8 KiB, a small socket buffer
  };

  explicit FakeTarget(Options options);
  FakeTarget(const FakeTarget&) = delete;
  FakeTarget& operator=(const FakeTarget&) = delete;
  ~FakeTarget();

  [[nodiscard]] iscsi::PortalAddress portal() const { return {"127.0.0.1", port_}; }
  /// How many commands with this opcode have come.
  [[nodiscard]] std::size_t count(std::uint8_t opcode) const;
  /// The ISIDs of all logins so far, in order.
  [[nodiscard]] std::vector<std::vector<std::byte>> session_ids() const;
  /// Ends the connection that is open; the next one is served.
  void drop_connection() const;
  /// How many connections have ended, whoever ended them; each is closed by then.
  [[nodiscard]] int connections_ended() const noexcept { return connections_ended_; }
  /// How many SCSI commands were answered, not counting one behind whose answer it was cut.
  [[nodiscard]] std::size_t answers() const noexcept { return answers_; }
  /// How many connections the initiator has reset, not closed.
  [[nodiscard]] int connections_reset() const noexcept { return connections_reset_; }
  /// How many NOP-Outs have come.
  [[nodiscard]] int pings() const;
  /// How many LOGICAL UNIT RESETs have come, and how many commands with this opcode before the
  /// last.
  [[nodiscard]] int resets() const;
  [[nodiscard]] std::size_t count_before_reset(std::uint8_t opcode) const;
  /// A copy of the LUN's bytes.
  [[nodiscard]] std::vector<std::byte> bytes() const;
  void set_bytes(std::vector<std::byte> bytes);
  /// The LUN holds what it held at its last SYNCHRONIZE CACHE, as after a loss of power.
  void lose_cache();
  /// The same, and the connection ends: no command is carried out or answered in between.
  void lose_power();

  /// Fixed-format sense data.
  static std::vector<std::byte> sense(std::uint8_t key, std::uint8_t asc, std::uint8_t ascq);

 private:
  struct Pdu;
  class Connection;

  void serve();
  bool serve_next();
  void serve_connection(int fd);
  void note_login(std::span<const std::byte> header);
  Reply execute(const iscsi::Cdb& cdb, const std::vector<std::byte>& data);
  void unmap(const std::vector<std::byte>& list);
  [[nodiscard]] Reply inquiry(const iscsi::Cdb& cdb) const;
  [[nodiscard]] Reply capacity() const;

  Options options_;
  FileDescriptor listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> ending_ = false;
  std::atomic<int> connection_ = -1;
  std::atomic<int> connections_reset_ = 0;
  std::atomic<int> connections_ended_ = 0;
  std::atomic<std::size_t> answers_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::byte> bytes_;     ///< guarded by mutex_
  std::vector<std::byte> durable_;   ///< guarded by mutex_; bytes_ at the last flush
  std::vector<std::size_t> counts_;  ///< guarded by mutex_
  std::vector<std::vector<std::byte>> session_ids_;  ///< guarded by mutex_
  int pings_ = 0;                                    ///< guarded by mutex_
  int resets_ = 0;                                   ///< guarded by mutex_
  std::vector<std::size_t> counts_before_reset_;     ///< guarded by mutex_
  std::jthread thread_;
};

}  // namespace lunfs::testing

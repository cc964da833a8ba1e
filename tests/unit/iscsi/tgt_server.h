#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "iscsi/lun_url.h"
#include "tests/support/temp_dir.h"

namespace lunfs::testing {

/// A tgtd of its own on a loopback address and a free port, killed with the object. Every fault of
/// tgtd or tgtadm is a std::runtime_error.
class TgtServer {
 public:
  /// `host`: "127.0.0.1" or "::1".
  explicit TgtServer(std::string host = "127.0.0.1");
  TgtServer(const TgtServer&) = delete;
  TgtServer& operator=(const TgtServer&) = delete;
  ~TgtServer();

  [[nodiscard]] iscsi::PortalAddress portal() const { return {host_, port_}; }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

  /// tgtadm --lld iscsi with `arguments`.
  void admin(const std::vector<std::string>& arguments) const;

  /// A target that every initiator may use.
  void add_target(int tid, const std::string& iqn) const;
  /// A LUN on a fresh file of zeros; the file's path is returned.
  std::string add_lun(int tid, int lun, std::uint64_t size_bytes,
                      std::uint32_t block_size_bytes = 512) const;
  /// --params of an existing LUN, "thin_provisioning=1".
  void set_lun(int tid, int lun, const std::string& parameters) const;
  void add_account(const std::string& user, const std::string& password) const;
  /// What an initiator must prove (`outgoing` false) or is proven to it (true).
  void bind_account(int tid, const std::string& user, bool outgoing = false) const;

  void send_signal(int number) const;
  /// Ends it with SIGKILL now.
  void kill_now();

 private:
  TempDir dir_;
  std::string host_;
  std::uint16_t port_ = 0;
  int control_ = 0;
  pid_t pid_ = -1;
};

}  // namespace lunfs::testing

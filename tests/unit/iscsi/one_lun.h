#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/file_descriptor.h"
#include "base/spawn.h"
#include "tests/unit/iscsi/opened.h"
#include "tests/unit/iscsi/tgt_server.h"

namespace lunfs::testing {

inline constexpr const char* kIqn = "iqn.2026-11.example:t1";
inline constexpr const char* kOther = "iqn.2026-11.example:t2";
inline constexpr std::uint64_t kMiB = 1 << 20;

/// A target with one LUN of number 1.
struct OneLun {
  explicit OneLun(std::uint64_t size = 16 * kMiB, std::uint32_t block = 512,
                  const std::string& host = "127.0.0.1")
      : server(host) {
    server.add_target(1, kIqn);
    file = server.add_lun(1, 1, size, block);
    options = options_for(server.portal(), kIqn, 1);
  }

  OneLun(const OneLun&) = delete;
  OneLun& operator=(const OneLun&) = delete;
  /// So that no login is under way when the loop is gone.
  ~OneLun() {
    if (lun == nullptr) return;
    RequestContext context = RequestContext::within(std::chrono::seconds(1));
    run_until_done(initiator.reactor, lun->logout(context));
  }

  void open() { lun = initiator.open(options); }
  std::vector<std::byte> read(std::uint64_t offset, std::size_t size) {
    std::vector<std::byte> bytes(size);
    initiator.run([&](RequestContext& c) { return lun->read(c, offset, bytes); });
    return bytes;
  }
  void write(std::uint64_t offset, ConstIoSpan bytes) {
    initiator.run([&](RequestContext& c) { return lun->write(c, offset, bytes); });
  }
  void flush() {
    initiator.run([&](RequestContext& c) { return lun->flush(c); });
  }
  /// Bytes as the file behind the LUN has them.
  [[nodiscard]] std::vector<std::byte> stored(std::uint64_t offset, std::size_t size) const {
    std::vector<std::byte> bytes(size);
    const FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(pread(fd.get(), bytes.data(), size, static_cast<off_t>(offset)),
              static_cast<ssize_t>(size));
    return bytes;
  }
  [[nodiscard]] std::uint64_t stored_bytes() const {
    struct stat status {};
    EXPECT_EQ(stat(file.c_str(), &status), 0);
    return static_cast<std::uint64_t>(status.st_blocks) * 512;
  }

  TgtServer server;
  Initiator initiator;
  std::string file;
  iscsi::LunOptions options{options_for({"127.0.0.1", 1}, kIqn, 1)};
  std::unique_ptr<iscsi::LunDevice> lun;
};

}  // namespace lunfs::testing

#include "host/control_client.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/file_descriptor.h"
#include "tests/support/temp_dir.h"

namespace lunfs::host {
namespace {

using lunfs::testing::TempDir;
using std::chrono::milliseconds;

/// Listens and answers with whatever a test likes.
class FakeDaemon {
 public:
  FakeDaemon() : listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path().c_str(), path().size() + 1);
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
    EXPECT_EQ(listen(listener_.get(), 1), 0);
  }
  [[nodiscard]] std::string path() const { return folder_.file("daemon.sock"); }
  ControlClient accept_client() {
    std::optional<ControlClient> client = ControlClient::connect(path(), geteuid());
    EXPECT_TRUE(client.has_value());
    peer_ = FileDescriptor(accept(listener_.get(), nullptr, nullptr));
    return *std::move(client);
  }
  void say(std::string_view text) const {
    EXPECT_EQ(send(peer_.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  void hang_up() { peer_.reset(); }

 private:
  TempDir folder_;
  FileDescriptor listener_;
  FileDescriptor peer_;
};

ErrorKind failure_of(ControlClient& client, milliseconds limit = milliseconds(5000)) {
  try {
    const nlohmann::ordered_json answer = client.receive(limit);
    ADD_FAILURE() << "an answer: " << answer;
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::kInternal;
}

TEST(ControlClient, NobodyListensWhereNothingIs) {
  const TempDir folder;
  EXPECT_FALSE(ControlClient::connect(folder.file("none.sock"), geteuid()));
  EXPECT_FALSE(ControlClient::connect("", geteuid()));
  EXPECT_FALSE(ControlClient::connect(std::string(200, 'x'), geteuid()));
}

TEST(ControlClient, SomebodyElsesDaemonIsNotAsked) {
  const FakeDaemon daemon;
  EXPECT_FALSE(ControlClient::connect(daemon.path(), geteuid() + 1));
}

TEST(ControlClient, AnAnswerInPiecesIsOne) {
  FakeDaemon daemon;
  ControlClient client = daemon.accept_client();
  daemon.say("{\"id\":");
  daemon.say("1}\n{\"id\":2}\n");
  EXPECT_EQ(client.receive(milliseconds(5000))["id"], 1);
  EXPECT_EQ(client.receive(milliseconds(5000))["id"], 2);
}

TEST(ControlClient, ASilentDaemonTimesOut) {
  FakeDaemon daemon;
  ControlClient client = daemon.accept_client();
  daemon.say("{\"id\":1");  // the line does not end
  EXPECT_EQ(failure_of(client, milliseconds(50)), ErrorKind::kTimedOut);
}

TEST(ControlClient, ADaemonThatHangsUpHasEnded) {
  FakeDaemon daemon;
  ControlClient client = daemon.accept_client();
  daemon.hang_up();
  EXPECT_EQ(failure_of(client), ErrorKind::kIo);
}

TEST(ControlClient, WhatIsNoObjectIsCorrupt) {
  for (const char* line : {"nonsense\n", "[1]\n", "\n"}) {
    FakeDaemon daemon;
    ControlClient client = daemon.accept_client();
    daemon.say(line);
    EXPECT_EQ(failure_of(client), ErrorKind::kCorrupt) << line;
  }
}

TEST(AskMountForStatus, AFolderIsNoMount) {
  const TempDir folder;
  try {
    static_cast<void>(ask_mount_for_status(folder.path().string(), milliseconds(100)));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  }
}

}  // namespace
}  // namespace lunfs::host

#include "host/control_client.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <functional>
#include <thread>

#include "tests/support/temp_dir.h"

namespace lunfs::host {
namespace {

using testing::TempDir;

constexpr std::chrono::seconds kLimit{1};

/// Listens at `path`; `serve` gets the one connection that is made.
class Daemon {
 public:
  Daemon(const std::string& path, std::function<void(int)> serve)
      : listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
    EXPECT_EQ(listen(listener_.get(), 1), 0);
    thread_ = std::jthread([this, serve = std::move(serve)] {
      const FileDescriptor client(accept(listener_.get(), nullptr, nullptr));
      serve(client.get());
    });
  }

 private:
  FileDescriptor listener_;
  std::jthread thread_;
};

std::string request_on(int client) {
  std::array<char, 256> buffer{};
  const ssize_t length = recv(client, buffer.data(), buffer.size(), 0);
  return length > 0 ? std::string(buffer.data(), static_cast<std::size_t>(length)) : std::string();
}

void say(int client, std::string_view text) {
  EXPECT_EQ(send(client, text.data(), text.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(text.size()));
}

TEST(ControlClient, AnswerIsALineInHoweverManyPieces) {
  const TempDir dir;
  std::string request;
  {
    const Daemon daemon(dir.file("s"), [&](int client) {
      request = request_on(client);
      say(client, "{\"id\"");
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      say(client, ":1}\nrest");
    });
    EXPECT_EQ(ask_daemon(dir.file("s"), "status", kLimit), "{\"id\":1}");
  }
  EXPECT_EQ(request, "{\"id\":1,\"command\":\"status\"}\n");
}

TEST(ControlClient, PeerThatIsMuteIsLeftWhenTheTimeIsOver) {
  const TempDir dir;
  const Daemon daemon(dir.file("s"), [](int client) {
    request_on(client);
    request_on(client);  // until the other side has gone
  });
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(ask_daemon(dir.file("s"), "status", kLimit), std::nullopt);
  EXPECT_GE(std::chrono::steady_clock::now() - before, kLimit);
}

TEST(ControlClient, PeerThatDripsDoesNotGetMoreTime) {
  const TempDir dir;
  const Daemon daemon(dir.file("s"), [](int client) {
    while (send(client, "x", 1, MSG_NOSIGNAL) == 1) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  });
  EXPECT_EQ(ask_daemon(dir.file("s"), "status", kLimit), std::nullopt);
}

TEST(ControlClient, PeerThatHangsUpHasNotAnswered) {
  const TempDir dir;
  const Daemon daemon(dir.file("s"), [](int client) { say(client, "{\"id\":1}"); });
  EXPECT_EQ(ask_daemon(dir.file("s"), "status", kLimit), std::nullopt);
}

TEST(ControlClient, NobodyListensOnAStaleSocketOrAFile) {
  const TempDir dir;
  {
    const Daemon daemon(dir.file("s"), [](int) {});
    ask_daemon(dir.file("s"), "status", kLimit);
  }
  std::ofstream(dir.file("f")) << "text";
  for (const char* name : {"s", "f", "none"}) {
    EXPECT_FALSE(connect_to_daemon(dir.file(name), kLimit).valid()) << name;
  }
  EXPECT_FALSE(connect_to_daemon("/" + std::string(200, 'x'), kLimit).valid());
}

}  // namespace
}  // namespace lunfs::host

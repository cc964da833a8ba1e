#include "fs/control_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "host/control_client.h"
#include "tests/support/temp_dir.h"

namespace lunfs::fs {
namespace {

using lunfs::testing::TempDir;
using Json = nlohmann::ordered_json;

constexpr std::chrono::seconds kLimit{20};

class ControlSocketTest : public ::testing::Test {
 protected:
  /// A client that the socket will accept in one of the next turns, and that has asked.
  [[nodiscard]] FileDescriptor client_that_asks(std::string_view command) const {
    FileDescriptor one = host::connect_to_daemon(socket_.path(), kLimit);
    const std::string line = Json{{"id", 1}, {"command", command}}.dump() + "\n";
    EXPECT_EQ(send(one.get(), line.data(), line.size(), 0), static_cast<ssize_t>(line.size()));
    return one;
  }

  /// Asks on another thread while the reactor turns.
  Json ask(std::string_view command) {
    std::optional<std::string> answer;
    std::thread thread([&] {
      answer = host::ask_daemon(socket_.path(), command, kLimit);
      reactor_.stop();
    });
    reactor_.run();
    thread.join();
    return Json::parse(answer.value_or("null"), nullptr, false);
  }

  TempDir folder_;
  Reactor reactor_;
  std::string status_ = R"({"pid": 1})";
  ControlSocket socket_{reactor_, folder_.file("control.sock"), [this] { return status_; }};
};

TEST_F(ControlSocketTest, StatusIsAnswered) {
  EXPECT_EQ(ask("status"), (Json{{"id", 1}, {"status", {{"pid", 1}}}}));
}

TEST_F(ControlSocketTest, AnAnswerLongerThanASocketTakesComesWhole) {
  status_ = Json{{"text", std::string(8U << 20U, 'x')}}.dump();
  EXPECT_EQ(ask("status")["status"], Json::parse(status_));
}

TEST_F(ControlSocketTest, WhoLeavesAnAnswerLyingKeepsNobodyWaiting) {
  status_ = Json{{"text", std::string(8U << 20U, 'x')}}.dump();
  const FileDescriptor lazy = client_that_asks("status");
  EXPECT_TRUE(ask("status").contains("status"));
}

TEST_F(ControlSocketTest, WhoAsksInTheLastMomentIsToldOfTheEnd) {
  const FileDescriptor one = client_that_asks("wait_end");
  socket_.tell_end("a write");
  std::array<char, 200> buffer{};
  const ssize_t length = recv(one.get(), buffer.data(), buffer.size(), 0);
  ASSERT_GT(length, 0);
  EXPECT_EQ(Json::parse(std::string_view(buffer.data(), static_cast<std::size_t>(length))),
            (Json{{"id", 1}, {"ended", true}, {"lost", "a write"}}));
}

TEST_F(ControlSocketTest, UnknownCommandsAreAnswered) {
  EXPECT_EQ(ask("frob"), (Json{{"id", 1}, {"error", "unknown command"}}));
}

}  // namespace
}  // namespace lunfs::fs

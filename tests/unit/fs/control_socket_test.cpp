#include "fs/control_socket.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "host/control_client.h"
#include "tests/support/temp_dir.h"

namespace lunfs::fs {
namespace {

using host::ControlClient;
using lunfs::testing::TempDir;
using Json = nlohmann::ordered_json;

constexpr std::chrono::seconds kLimit{20};

class ControlSocketTest : public ::testing::Test {
 protected:
  /// A client that the socket will accept in one of the next turns.
  ControlClient client() {
    std::optional<ControlClient> one = ControlClient::connect(socket_.path(), geteuid());
    EXPECT_TRUE(one.has_value());
    return *std::move(one);
  }

  /// Turns the reactor while `work` runs on another thread.
  template <typename Work>
  void turn_during(Work work) {
    std::thread thread([&] {
      work();
      reactor_.stop();
    });
    reactor_.run();
    thread.join();
  }

  TempDir folder_;
  Reactor reactor_;
  std::string status_ = R"({"pid": 1})";
  ControlSocket socket_{reactor_, folder_.file("control.sock"), [this] { return status_; }};
};

TEST_F(ControlSocketTest, StatusIsAnswered) {
  ControlClient one = client();
  turn_during([&] {
    one.send("status");
    EXPECT_EQ(one.receive(kLimit), (Json{{"id", 1}, {"status", {{"pid", 1}}}}));
  });
}

TEST_F(ControlSocketTest, AnAnswerLongerThanASocketTakesComesWhole) {
  status_ = Json{{"text", std::string(8U << 20U, 'x')}}.dump();
  ControlClient one = client();
  turn_during([&] {
    one.send("status");
    EXPECT_EQ(one.receive(kLimit)["status"], Json::parse(status_));
    one.send("status");
    EXPECT_EQ(one.receive(kLimit)["status"], Json::parse(status_));
  });
}

TEST_F(ControlSocketTest, WhoLeavesAnAnswerLyingKeepsNobodyWaiting) {
  status_ = Json{{"text", std::string(8U << 20U, 'x')}}.dump();
  ControlClient lazy = client();
  ControlClient other = client();
  turn_during([&] {
    lazy.send("status");
    other.send("status");
    EXPECT_TRUE(other.receive(kLimit).contains("status"));
  });
}

TEST_F(ControlSocketTest, WhoAsksInTheLastMomentIsToldOfTheEnd) {
  ControlClient one = client();
  one.send("wait_end");
  socket_.tell_end("a write");
  EXPECT_EQ(one.receive(kLimit), (Json{{"id", 1}, {"ended", true}, {"lost", "a write"}}));
}

TEST_F(ControlSocketTest, UnknownCommandsAreAnswered) {
  ControlClient one = client();
  turn_during([&] {
    one.send("frob");
    EXPECT_EQ(one.receive(kLimit), (Json{{"id", 1}, {"error", "unknown command"}}));
  });
}

}  // namespace
}  // namespace lunfs::fs

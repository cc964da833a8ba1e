#include "tools/name_uses.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "base/file_descriptor.h"
#include "tests/support/temp_dir.h"

namespace lunfs::tools {
namespace {

using testing::TempDir;

constexpr const char* kName = "iqn.2026-11.example:host";

/// A mount's daemon that gives one answer, whatever is asked; an empty one: none.
class Daemon {
 public:
  Daemon(const std::string& path, std::string answer)
      : listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
    EXPECT_EQ(listen(listener_.get(), 1), 0);
    thread_ = std::jthread([this, answer = std::move(answer)] {
      const FileDescriptor client(accept(listener_.get(), nullptr, nullptr));
      if (!answer.empty()) send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
      char byte = 0;
      while (recv(client.get(), &byte, 1, 0) > 0) {
      }
    });
  }

 private:
  FileDescriptor listener_;
  std::jthread thread_;
};

host::MountEntry mount_of(const std::string& where, const std::string& source, int uid = 0) {
  return {where, "0:40", "fuse.lunfs", source, "rw,user_id=" + std::to_string(uid)};
}

class NameUses : public testing::TempDir, public ::testing::Test {
 protected:
  NameUses() { sources_.sysfs = path().string(); }
  std::vector<NameUse> answered(const std::string& answer) {
    const Daemon daemon(file("s"), answer);
    sources_.control_sockets = {file("s")};
    return find_name_uses(sources_);
  }
  NameUseSources sources_;
};

TEST_F(NameUses, NobodyUsesAnything) { EXPECT_TRUE(find_name_uses(sources_).empty()); }

TEST_F(NameUses, MountTellsItsSessions) {
  const auto uses = answered(
      R"({"pid":7,"mount_point":"/mnt","sessions":[{"initiator":"iqn.2026-11.example:Host",)"
      R"("target":"iqn.t","portal":"10.0.0.1:3260","state":"up"}],"id":1})"
      "\n");
  ASSERT_EQ(uses.size(), 1U);
  EXPECT_EQ(uses[0].where, "/mnt");
  EXPECT_EQ(uses[0].pid, 7);
  EXPECT_EQ(uses[0].target, "iqn.t");
  EXPECT_TRUE(uses[0].may_use(kName));
  EXPECT_FALSE(uses[0].may_use("iqn.2026-11.example:other"));
}

TEST_F(NameUses, MountOfAnImageHasNoSession) {
  sources_.mounts = {mount_of("/mnt", "not a path")};
  EXPECT_TRUE(answered("{\"pid\":7,\"mount_point\":\"/mnt\",\"sessions\":[],\"id\":1}\n").empty());
}

TEST_F(NameUses, MountThatDoesNotTellMayUseEveryName) {
  sources_.mounts = {mount_of("/mnt", "iscsi://h:1/iqn.t/0"),
                     mount_of("/image", "/lun.img"),
                     {"/other", "0:41", "ext4", "iscsi://h", "rw"}};
  const auto uses = find_name_uses(sources_);
  ASSERT_EQ(uses.size(), 1U);
  EXPECT_EQ(uses[0].where, "/mnt");
  EXPECT_TRUE(uses[0].may_use(kName));
}

TEST_F(NameUses, UnreadableAnswersAreNone) {
  for (const char* answer : {"nonsense\n", "[]\n", "{}\n", "{\"mount_point\":7,\"sessions\":[]}\n",
                             "{\"mount_point\":\"/mnt\",\"sessions\":7}\n",
                             "{\"error\":\"unknown command\",\"id\":1}\n"}) {
    sources_.mounts = {mount_of("/mnt", "iscsi://h:1/iqn.t/0")};
    const auto uses = answered(answer);
    EXPECT_EQ(uses.size(), 1U) << answer;
    std::filesystem::remove(file("s"));
  }
}

TEST_F(NameUses, SessionsOfStrangeTypesDoNotTell) {
  const auto uses = answered(R"({"pid":"x","mount_point":"/mnt","sessions":[7,{"initiator":7}]})"
                             "\n");
  ASSERT_EQ(uses.size(), 1U);
  EXPECT_EQ(uses[0].pid, 0);
  EXPECT_TRUE(uses[0].may_use(kName));
}

TEST_F(NameUses, MuteDaemonDoesNotHoldUpForEver) {
  sources_.mounts = {mount_of("/mnt", "iscsi://h:1/iqn.t/0")};
  EXPECT_EQ(answered("").size(), 1U);
}

TEST_F(NameUses, NobodySpeaksForTheMountOfSomebodyElse) {
  sources_.mounts = {mount_of("/mnt", "iscsi://h:1/iqn.t/0", static_cast<int>(geteuid()) + 1)};
  EXPECT_EQ(answered("{\"pid\":7,\"mount_point\":\"/mnt\",\"sessions\":[],\"id\":1}\n").size(), 1U);
}

TEST_F(NameUses, OthersThanRootSeeTheirOwnMounts) {
  sources_.mounts = {mount_of("/mine", "iscsi://h:1/iqn.t/0", 1000),
                     mount_of("/his", "iscsi://h:1/iqn.t/0", 1001)};
  sources_.uid = 1000;
  const auto uses = find_name_uses(sources_);
  ASSERT_EQ(uses.size(), 1U);
  EXPECT_EQ(uses[0].where, "/mine");
}

TEST_F(NameUses, KernelSessionsCount) {
  const auto session = path() / "class/iscsi_session/session1";
  std::filesystem::create_directories(session);
  std::ofstream(session / "initiatorname") << kName << "\n";
  const auto uses = find_name_uses(sources_);
  ASSERT_EQ(uses.size(), 1U);
  EXPECT_EQ(uses[0].kind, NameUse::Kind::kKernelSession);
  EXPECT_EQ(uses_of(kName, uses).size(), 1U);
  EXPECT_EQ(uses_of("iqn.2026-11.example:other", uses).size(), 0U);
}

TEST(NameUseJson, LeavesOutWhatIsNotKnown) {
  const std::vector<NameUse> uses(1);
  EXPECT_EQ(to_json(uses).dump(), "[{\"kind\":\"lunfs\"}]");
}

}  // namespace
}  // namespace lunfs::tools

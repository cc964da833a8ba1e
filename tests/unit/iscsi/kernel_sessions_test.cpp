#include "iscsi/kernel_sessions.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_dir.h"

namespace lunfs::iscsi {
namespace {

using testing::TempDir;

/// A sysfs as scsi_transport_iscsi makes it.
struct Sysfs {
  TempDir dir;

  void put(const std::string& path, const std::string& text) const {
    const std::filesystem::path file = dir.path() / "class" / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void add_session(const std::string& number) const {
    put("iscsi_session/session" + number + "/initiatorname", "iqn.2026-11.example:host\n");
    put("iscsi_session/session" + number + "/targetname", "iqn.2026-11.example:target\n");
    put("iscsi_session/session" + number + "/state", "LOGGED_IN\n");
    put("iscsi_session/session" + number + "/isid", "00023d000000\n");
  }
  [[nodiscard]] std::vector<KernelSession> sessions() const {
    return kernel_sessions(dir.path().string());
  }
};

TEST(KernelSessions, KernelWithoutAnInitiatorHasNone) { EXPECT_TRUE(Sysfs().sessions().empty()); }

TEST(KernelSessions, AreReadWithTheirPortal) {
  const Sysfs sysfs;
  sysfs.add_session("3");
  sysfs.put("iscsi_connection/connection3:0/persistent_address", "10.0.0.1\n");
  sysfs.put("iscsi_connection/connection3:0/persistent_port", "3260\n");
  const auto all = sysfs.sessions();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].id, "session3");
  EXPECT_EQ(all[0].initiator, "iqn.2026-11.example:host");
  EXPECT_EQ(all[0].target, "iqn.2026-11.example:target");
  EXPECT_EQ(all[0].portal, "10.0.0.1:3260");
  EXPECT_EQ(all[0].state, "LOGGED_IN");
  EXPECT_EQ(all[0].isid, "00023d000000");
}

TEST(KernelSessions, Ipv6PortalsHaveBrackets) {
  const Sysfs sysfs;
  sysfs.add_session("1");
  sysfs.put("iscsi_connection/connection1:0/address", "2001:db8::7\n");
  sysfs.put("iscsi_connection/connection1:0/port", "3260\n");
  EXPECT_EQ(sysfs.sessions().at(0).portal, "[2001:db8::7]:3260");
}

TEST(KernelSessions, ComeInTheOrderOfTheirNumbers) {
  const Sysfs sysfs;
  for (const char* number : {"10", "9", "1"}) sysfs.add_session(number);
  const auto all = sysfs.sessions();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].id, "session1");
  EXPECT_EQ(all[1].id, "session9");
  EXPECT_EQ(all[2].id, "session10");
}

TEST(KernelSessions, WhatIsNotToldIsEmpty) {
  const Sysfs sysfs;
  sysfs.put("iscsi_session/session1/initiatorname", "(null)\n");
  sysfs.put("iscsi_session/power", "on\n");
  const auto all = sysfs.sessions();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].initiator, "");
  EXPECT_EQ(all[0].portal, "");
}

}  // namespace
}  // namespace lunfs::iscsi

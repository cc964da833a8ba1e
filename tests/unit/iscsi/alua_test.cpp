#include "iscsi/alua.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <random>

namespace lunfs::iscsi {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> result;
  for (const int value : values) result.push_back(static_cast<std::byte>(value));
  return result;
}

/// Group 1 with ports 1 and 2, optimized and preferred; group 0x102 with port 0x103, standby.
std::vector<std::byte> two_groups() {
  return bytes({0,    0,    0, 28,                                      //
                0x80, 0x8f, 0, 1,  0, 2, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2,  //
                0x02, 0x8f, 1, 2,  0, 2, 0, 1, 0, 0, 1, 3});
}

TEST(PortGroups, EachDescriptorIsOneGroup) {
  EXPECT_THAT(parse_port_groups(two_groups()),
              ElementsAre(PortGroup{1, AccessState::kOptimized, {1, 2}},
                          PortGroup{0x102, AccessState::kStandby, {0x103}}));
}

TEST(PortGroups, EveryStateOfTheStandardHasItsNameAndItsUse) {
  struct Case {
    int value;
    AccessState state;
    std::string_view name;
    bool usable;
  };
  for (const Case& one : {Case{0x0, AccessState::kOptimized, "active/optimized", true},
                          Case{0x1, AccessState::kNonOptimized, "active/non-optimized", true},
                          Case{0x2, AccessState::kStandby, "standby", false},
                          Case{0x3, AccessState::kUnavailable, "unavailable", false},
                          Case{0x4, AccessState::kLbaDependent, "LBA dependent", true},
                          Case{0xe, AccessState::kOffline, "offline", false},
                          Case{0xf, AccessState::kTransitioning, "transitioning", false},
                          Case{0x7, AccessState::kUnavailable, "unavailable", false}}) {
    const auto groups = parse_port_groups(bytes({0, 0, 0, 8, one.value, 0, 0, 1, 0, 0, 0, 0}));
    ASSERT_THAT(groups, SizeIs(1));
    EXPECT_EQ(groups[0].state, one.state) << one.value;
    EXPECT_EQ(name_of(groups[0].state), one.name);
    EXPECT_EQ(usable(groups[0].state), one.usable) << one.name;
  }
}

TEST(PortGroups, OptimizedIsTheBestAndOfflineTheWorst) {
  unsigned last = 0;
  for (const AccessState state :
       {AccessState::kLbaDependent, AccessState::kNonOptimized, AccessState::kTransitioning,
        AccessState::kStandby, AccessState::kUnavailable, AccessState::kOffline}) {
    EXPECT_GT(rank_of(state), last);
    last = rank_of(state);
  }
  EXPECT_EQ(rank_of(AccessState::kOptimized), 0U);
}

TEST(PortGroups, WhatIsCutOffIsLeftOut) {
  const auto whole = two_groups();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto groups = parse_port_groups(ConstByteSpan(whole).first(size));
    EXPECT_EQ(groups.size(), size < 20 ? 0U : 1U) << size;
  }
}

TEST(PortGroups, LengthBeyondTheAnswerCountsForNothing) {
  auto lying = two_groups();
  lying[0] = std::byte{0xff};
  EXPECT_THAT(parse_port_groups(lying), SizeIs(2));
  lying[0] = lying[3] = std::byte{0};
  EXPECT_THAT(parse_port_groups(lying), IsEmpty());
}

TEST(PortGroups, NoMoreAreTakenThanTheBound) {
  std::vector<std::byte> many(4 + 1000 * 8);
  store_be<std::uint32_t>(many, 0, 8000);
  EXPECT_EQ(parse_port_groups(many).size(), kMostPortGroups);
}

TEST(PortGroups, AnyBytesAreTaken) {
  std::minstd_rand random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::byte> noise(random() % 300);
    for (std::byte& one : noise) one = static_cast<std::byte>(random() >> 8U);
    const auto groups = parse_port_groups(noise);
    EXPECT_LE(groups.size(), kMostPortGroups);
    static_cast<void>(state_at(groups, parse_port_place(noise)));
  }
}

TEST(PortPlace, DesignatorsOfTheTargetPortCount) {
  const auto payload = bytes({1, 0x03, 0, 4, 9, 9, 9, 9,    // NAA of the LUN
                              1, 0x04, 0, 4, 0, 0, 0, 7,    // type 4, but of the LUN
                              1, 0x14, 0, 4, 0, 0, 0, 2,    // relative port 2
                              1, 0x15, 0, 4, 0, 0, 1, 1,    // group 0x101
                              1, 0x15, 0, 4, 0, 0, 0, 9});  // a second one
  EXPECT_EQ(parse_port_place(payload), (PortPlace{2, 0x101}));
}

TEST(PortPlace, CutOffAndShortOnesAreLeftOut) {
  EXPECT_EQ(parse_port_place(bytes({1, 0x15, 0, 2, 0, 1})), PortPlace{});
  EXPECT_EQ(parse_port_place(bytes({1, 0x15, 0, 200, 0, 0, 0, 1})), PortPlace{});
  EXPECT_EQ(parse_port_place({}), PortPlace{});
}

TEST(PortPlace, GroupDecidesElseThePort) {
  const auto groups = parse_port_groups(two_groups());
  EXPECT_EQ(state_at(groups, {.port = 1, .group = 0x102}), AccessState::kStandby);
  EXPECT_EQ(state_at(groups, {.port = 0x103, .group = {}}), AccessState::kStandby);
  EXPECT_EQ(state_at(groups, {.port = 2, .group = {}}), AccessState::kOptimized);
  EXPECT_EQ(state_at(groups, {.port = 77, .group = 77}), std::nullopt);
  EXPECT_EQ(state_at(groups, {}), std::nullopt);
}

TEST(PortGroups, InquirySaysWhetherThereAreAny) {
  for (const int flags : {0x10, 0x20, 0x30}) {
    EXPECT_TRUE(tells_port_groups(bytes({0, 0, 6, 2, 31, flags})));
  }
  EXPECT_FALSE(tells_port_groups(bytes({0, 0, 6, 2, 31, 0xcf})));
  EXPECT_FALSE(tells_port_groups(bytes({0, 0, 6, 2, 31})));
}

}  // namespace
}  // namespace lunfs::iscsi

#include "iscsi/discovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lunfs::iscsi {
namespace {

using testing::ElementsAre;

std::vector<std::string> places_of(std::vector<std::string> named) {
  std::vector<std::string> places;
  const DiscoveredTarget target{.name = "iqn.2026-11.example:t", .portals = std::move(named)};
  for (const PortalAddress& portal : portals_of(target, PortalAddress::parse("192.0.2.1"))) {
    places.push_back(portal.text());
  }
  return places;
}

TEST(PortalsOf, WhatWasAskedComesFirst) {
  EXPECT_THAT(places_of({"10.0.2.15:3260,1"}), ElementsAre("192.0.2.1:3260", "10.0.2.15:3260"));
}

TEST(PortalsOf, NoneIsThereTwice) {
  EXPECT_THAT(places_of({"10.0.2.15:3260,1", "192.0.2.1:3260,1", "10.0.2.15:3260,2"}),
              ElementsAre("192.0.2.1:3260", "10.0.2.15:3260"));
}

TEST(PortalsOf, ATargetMayNameNoneOrNonsense) {
  EXPECT_THAT(places_of({"", ",", "[::1", "host:99999,1"}), ElementsAre("192.0.2.1:3260"));
}

TEST(PortalsOf, AreFourAtMost) { EXPECT_EQ(places_of({"a", "b", "c", "d", "e", "f"}).size(), 4U); }

}  // namespace
}  // namespace lunfs::iscsi

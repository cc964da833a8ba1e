#include "host/mount_status.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "tests/support/temp_dir.h"

namespace lunfs::host {
namespace {

TEST(AskMountForStatus, AFolderIsNoMount) {
  const lunfs::testing::TempDir folder;
  for (const std::string& place : {folder.path().string(), std::string("/")}) {
    try {
      static_cast<void>(ask_mount_for_status(place, std::chrono::seconds(1)));
      FAIL() << "no error for " << place;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
    }
  }
}

}  // namespace
}  // namespace lunfs::host

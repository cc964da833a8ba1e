#include <gmock/gmock.h>

#include "tests/unit/iscsi/opened.h"
#include "tests/unit/iscsi/tgt_server.h"

namespace lunfs::iscsi {
namespace {

using ::testing::HasSubstr;
using testing::Initiator;
using testing::noise;
using testing::options_for;
using testing::TgtServer;

constexpr const char* kIqn = "iqn.2026-11.example:t1";

TEST(OpenLun, ReadsBackWhatWasWritten) {
  TgtServer server;
  server.add_target(1, kIqn);
  server.add_lun(1, 1, 16 << 20);
  Initiator initiator;
  const auto lun = initiator.open(options_for(server.portal(), kIqn, 1));
  EXPECT_EQ(lun->identity().size_bytes, 16U << 20U);
  EXPECT_EQ(lun->identity().block_size_bytes, 512U);
  const auto data = noise(1 << 20, 1);
  initiator.run([&](RequestContext& c) { return lun->write(c, 12345, data); });
  std::vector<std::byte> back(data.size());
  initiator.run([&](RequestContext& c) { return lun->read(c, 12345, back); });
  EXPECT_EQ(back, data);
  initiator.run([&](RequestContext& c) { return lun->flush(c); });
  initiator.run([&](RequestContext& c) { return lun->logout(c); });
  EXPECT_FALSE(lun->connected());
}

}  // namespace
}  // namespace lunfs::iscsi

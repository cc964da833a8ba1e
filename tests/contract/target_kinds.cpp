// LUNs of a real target, a fresh one for every test.
#include "base/log.h"
#include "tests/contract/block_device_contract.h"
#include "tests/unit/iscsi/opened.h"
#include "tests/unit/iscsi/tgt_server.h"

namespace lunfs::testing {
namespace {

constexpr std::uint64_t kSizeBytes = 256 * 1024;
constexpr const char* kIqn = "iqn.2026-11.example:contract";

Rig lun_rig(const Surroundings& around, std::uint32_t block, const std::string& parameters) {
  signal(SIGPIPE, SIG_IGN);  // as the daemon does
  log::configure(log::Sink::kStderr, log::Level::kError);
  auto server = std::make_shared<TgtServer>();
  server->add_target(1, kIqn);
  server->add_lun(1, 1, kSizeBytes, block);
  if (!parameters.empty()) server->set_lun(1, 1, parameters);
  if (around.read_only) server->set_lun(1, 1, "readonly=1");
  RequestContext context;
  auto device =
      run_until_done(around.reactor, iscsi::open_lun(context, around.reactor, around.pool,
                                                     options_for(server->portal(), kIqn, 1)));
  return {.below = {server}, .device = std::move(device), .skipped_because = {}};
}

Rig lun_of_512(const Surroundings& around) { return lun_rig(around, 512, {}); }
Rig lun_of_4096(const Surroundings& around) { return lun_rig(around, 4096, {}); }
Rig thin_lun(const Surroundings& around) { return lun_rig(around, 512, "thin_provisioning=1"); }

const std::vector<DeviceKind> kLuns{
    {"LunOf512", lun_of_512},
    {"LunOf4096", lun_of_4096, 4096},
    {"ThinLun", thin_lun},
};

INSTANTIATE_TEST_SUITE_P(Target, BlockDeviceReads, ::testing::ValuesIn(kLuns), name_of);
INSTANTIATE_TEST_SUITE_P(Target, BlockDeviceWrites, ::testing::ValuesIn(kLuns), name_of);

}  // namespace
}  // namespace lunfs::testing

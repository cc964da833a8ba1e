#include "tests/contract/block_device_contract.h"

#include <ostream>
#include <random>

namespace lunfs::testing {

void PrintTo(const DeviceKind& kind, std::ostream* out) { *out << kind.name; }

std::string name_of(const ::testing::TestParamInfo<DeviceKind>& instance) {
  return instance.param.name;
}

void BlockDeviceContract::open(bool read_only) {
  rig_ = {};
  rig_ = GetParam().make({reactor_, pool_, folder_, read_only});
  if (!rig_.device) GTEST_SKIP() << rig_.skipped_because;
  constexpr std::uint64_t kSmallest = 64 * 1024;
  ASSERT_GE(size(), kSmallest);
}

BlockDeviceContract::Bytes BlockDeviceContract::read(std::uint64_t offset, std::uint64_t length) {
  Bytes out(length, std::byte{0xA5});
  run_until_done(reactor_, device().read(context_, offset, out));
  return out;
}

void BlockDeviceContract::write(std::uint64_t offset, ConstIoSpan in) {
  run_until_done(reactor_, device().write(context_, offset, in));
}

BlockDeviceContract::Bytes BlockDeviceContract::fresh_bytes(std::uint64_t length) {
  std::minstd_rand random(next_seed_++);
  Bytes bytes(length);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(1 + random() % 255);
  return bytes;
}

}  // namespace lunfs::testing

// The devices of base/ and of the tests themselves.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/file_device.h"
#include "base/unaligned_device.h"
#include "tests/contract/block_device_contract.h"
#include "tests/support/fault_device.h"
#include "tests/support/loop_device.h"
#include "tests/support/memory_device.h"
#include "tests/support/pattern_device.h"
#include "tests/support/recording_device.h"

namespace lunfs::testing {
namespace {

constexpr std::uint64_t kSizeBytes = 256 * 1024;

std::unique_ptr<MemoryDevice> memory(const Surroundings& around, std::uint32_t block) {
  auto device = std::make_unique<MemoryDevice>(kSizeBytes, block);
  device->suspend_through(around.reactor, 5);
  device->set_read_only(around.read_only);
  return device;
}

template <std::uint32_t kBlock>
Rig memory_rig(const Surroundings& around) {
  return {.below = {}, .device = memory(around, kBlock), .skipped_because = {}};
}

Rig pattern_rig(const Surroundings& /*around*/) {
  return {
      .below = {}, .device = std::make_unique<PatternDevice>(kSizeBytes), .skipped_because = {}};
}

Rig fault_rig(const Surroundings& around) {
  std::shared_ptr<MemoryDevice> inner = memory(around, 512);
  return {.below = {inner},
          .device = std::make_unique<FaultDevice>(around.reactor, *inner),
          .skipped_because = {}};
}

Rig recording_rig(const Surroundings& around) {
  std::shared_ptr<MemoryDevice> inner = memory(around, 1);
  return {
      .below = {inner}, .device = std::make_unique<RecordingDevice>(*inner), .skipped_because = {}};
}

template <std::uint32_t kBlock>
Rig unaligned_rig(const Surroundings& around) {
  return {.below = {},
          .device = std::make_unique<UnalignedDevice>(around.reactor, memory(around, kBlock)),
          .skipped_because = {}};
}

std::string image(const Surroundings& around) {
  std::string path = around.folder.file("image");
  const FileDescriptor file(open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  EXPECT_EQ(ftruncate(file.get(), kSizeBytes), 0);
  return path;
}

Access access_of(const Surroundings& around) {
  return around.read_only ? Access::kReadOnly : Access::kReadWrite;
}

Rig file_rig(const Surroundings& around) {
  return {.below = {},
          .device = FileDevice::open(image(around), access_of(around), around.reactor, around.pool),
          .skipped_because = {}};
}

Rig loop_rig(const Surroundings& around) {
  const std::string missing = LoopDevice::unavailable_because();
  if (!missing.empty()) return {.below = {}, .device = nullptr, .skipped_because = missing};
  auto loop = std::make_shared<LoopDevice>(image(around));
  return {.below = {loop},
          .device = FileDevice::open(loop->path(), access_of(around), around.reactor, around.pool),
          .skipped_because = {}};
}

const DeviceKind kPattern{"Pattern", pattern_rig};
const std::vector<DeviceKind> kWritable{
    {"Memory", memory_rig<1>},
    {"MemoryOfBlocks", memory_rig<512>},
    {"Fault", fault_rig},
    {"Recording", recording_rig},
    {"Unaligned512", unaligned_rig<512>},
    {"Unaligned4096", unaligned_rig<4096>, 4096},
    {"File", file_rig},
    {"BlockDevice", loop_rig},
};

INSTANTIATE_TEST_SUITE_P(Pattern, BlockDeviceReads, ::testing::Values(kPattern), name_of);
INSTANTIATE_TEST_SUITE_P(Base, BlockDeviceReads, ::testing::ValuesIn(kWritable), name_of);
INSTANTIATE_TEST_SUITE_P(Base, BlockDeviceWrites, ::testing::ValuesIn(kWritable), name_of);

}  // namespace
}  // namespace lunfs::testing

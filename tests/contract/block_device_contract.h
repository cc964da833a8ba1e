#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/block_device.h"
#include "base/error.h"
#include "base/reactor.h"
#include "base/run.h"
#include "base/thread_pool.h"
#include "tests/support/temp_dir.h"

/// One suite for everything that stores bytes: what base/block_device.h promises holds for every
/// BlockDevice. A program instantiates BlockDeviceReads with all its kinds of device, and
/// BlockDeviceWrites with those that can be written.
namespace lunfs::testing {

/// What a factory of devices may use; all outlive the device.
struct Surroundings {
  Reactor& reactor;
  ThreadPool& pool;
  const TempDir& folder;
  bool read_only;  ///< the device is to refuse changes
};

/// A device and what it stands on.
struct Rig {
  std::vector<std::shared_ptr<void>> below;
  std::unique_ptr<BlockDevice> device;  ///< null: skipped
  std::string skipped_because;
};

/// A kind of device: at least 64 KiB, fresh for every test.
struct DeviceKind {
  const char* name;
  Rig (*make)(const Surroundings& surroundings);
  std::uint32_t whole_block = 512;  ///< bytes; what compare_and_write() takes
};

/// Prints the name in test lists.
void PrintTo(const DeviceKind& kind, std::ostream* out);
std::string name_of(const ::testing::TestParamInfo<DeviceKind>& instance);

class BlockDeviceContract : public ::testing::TestWithParam<DeviceKind> {
 protected:
  using Bytes = std::vector<std::byte>;

  void SetUp() override { open(false); }

  /// (Re)opens the device of the kind under test.
  void open(bool read_only);

  [[nodiscard]] BlockDevice& device() { return *rig_.device; }
  [[nodiscard]] std::uint64_t size() { return device().geometry().size_bytes; }
  /// The device's block size; with 1, any offset and length may be asked for.
  [[nodiscard]] std::uint64_t block() { return device().geometry().block_size_bytes; }

  Bytes read(std::uint64_t offset, std::uint64_t length);
  void write(std::uint64_t offset, ConstIoSpan in);
  Bytes content() { return read(0, size()); }
  /// Random bytes that are no zeros, other ones at each call.
  Bytes fresh_bytes(std::uint64_t length);

  /// The kind of Error that `operation()`, which gives a Task, ends by; nullopt if it succeeds.
  template <typename Operation>
  std::optional<ErrorKind> failure_of(Operation operation) {
    try {
      run_until_done(reactor_, operation());
    } catch (const Error& error) {
      return error.kind();
    }
    return std::nullopt;
  }

  TempDir folder_;
  Reactor reactor_;
  ThreadPool pool_{4};
  RequestContext context_;
  Rig rig_;

 private:
  std::uint32_t next_seed_ = 1;
};

class BlockDeviceReads : public BlockDeviceContract {};
class BlockDeviceWrites : public BlockDeviceContract {};

}  // namespace lunfs::testing

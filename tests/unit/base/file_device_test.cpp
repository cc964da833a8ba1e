#include "base/file_device.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/run.h"
#include "tests/support/loop_device.h"
#include "tests/support/temp_dir.h"

namespace lunfs {
namespace {

using testing::LoopDevice;

constexpr std::uint64_t kSizeBytes = 1 << 20;

class FileDeviceTest : public ::testing::Test {
 protected:
  FileDeviceTest() { make(path_, kSizeBytes); }

  static void make(const std::string& path, std::uint64_t size) {
    const FileDescriptor file(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
    ASSERT_EQ(ftruncate(file.get(), static_cast<off_t>(size)), 0);
  }

  std::unique_ptr<FileDevice> open(const std::string& path, Access access) {
    return FileDevice::open(path, access, reactor_, pool_);
  }

  /// The Error of opening; a failure of the test if it succeeds.
  Error refusal(const std::string& path, Access access) {
    try {
      open(path, access);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << path << " was opened";
    return {ErrorKind::kInternal, ""};
  }

  testing::TempDir folder_;
  std::string path_ = folder_.file("image");
  Reactor reactor_;
  ThreadPool pool_{2};
  RequestContext context_;
};

TEST_F(FileDeviceTest, GeometryIsTheFiles) {
  const Geometry geometry = open(path_, Access::kReadWrite)->geometry();
  EXPECT_EQ(geometry.size_bytes, kSizeBytes);
  EXPECT_EQ(geometry.block_size_bytes, 1U);
  EXPECT_FALSE(geometry.read_only);
  EXPECT_TRUE(open(path_, Access::kReadOnly)->geometry().read_only);
}

TEST_F(FileDeviceTest, SecondWriterIsRefused) {
  const auto first = open(path_, Access::kReadWrite);
  const Error error = refusal(path_, Access::kReadWrite);
  EXPECT_EQ(error.kind(), ErrorKind::kBusy);
  EXPECT_FALSE(error.cause().empty());
  EXPECT_FALSE(error.remedy().empty());
}

TEST_F(FileDeviceTest, ReaderStandsBesideAWriterAndReaders) {
  const auto writer = open(path_, Access::kReadWrite);
  const auto one = open(path_, Access::kReadOnly);
  EXPECT_NO_THROW(open(path_, Access::kReadOnly));
}

TEST_F(FileDeviceTest, WriterMayComeWhileOthersRead) {
  const auto reader = open(path_, Access::kReadOnly);
  EXPECT_NO_THROW(open(path_, Access::kReadWrite));
}

TEST_F(FileDeviceTest, LockEndsWithTheDevice) {
  open(path_, Access::kReadWrite).reset();
  EXPECT_NO_THROW(open(path_, Access::kReadWrite));
}

TEST_F(FileDeviceTest, MissingFileIsNotFound) {
  EXPECT_EQ(refusal(folder_.file("nothing"), Access::kReadOnly).kind(), ErrorKind::kNotFound);
}

TEST_F(FileDeviceTest, FolderAndPipeAreRefused) {
  const std::string fifo = folder_.file("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  for (const std::string& path : {folder_.path().string(), fifo, std::string("/dev/null")}) {
    const Error error = refusal(path, Access::kReadOnly);
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(error.message().find(path), std::string::npos);
    EXPECT_FALSE(error.remedy().empty());
  }
}

TEST_F(FileDeviceTest, FileCutShortIsAnErrorNotZeros) {
  const auto device = open(path_, Access::kReadOnly);
  ASSERT_EQ(truncate(path_.c_str(), 1000), 0);
  std::vector<std::byte> out(2000);
  try {
    run_until_done(reactor_, device->read(context_, 0, out));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kIo);
    EXPECT_NE(error.message().find("ended after 1000"), std::string::npos) << error.message();
  }
}

TEST_F(FileDeviceTest, NothingBeyondTheEndOfACutFileIsAHole) {
  const auto device = open(path_, Access::kReadOnly);
  ASSERT_EQ(truncate(path_.c_str(), 8192), 0);
  const auto runs = run_until_done(reactor_, device->allocated(context_, 0, kSizeBytes));
  ASSERT_FALSE(runs.empty());
  for (const Extent& run : runs) {
    if (run.hole) {
      EXPECT_LE(run.offset + run.length, 8192U);
    }
  }
  EXPECT_EQ(runs.back().offset + runs.back().length, kSizeBytes);
}

TEST_F(FileDeviceTest, HolesAreTold) {
  const auto device = open(path_, Access::kReadWrite);
  const std::vector<std::byte> data(65536, std::byte{1});
  run_until_done(reactor_, device->write(context_, 4 * 65536, data));
  const auto runs = run_until_done(reactor_, device->allocated(context_, 0, kSizeBytes));
  const std::vector<Extent> expected{{.offset = 0, .length = 4 * 65536, .hole = true},
                                     {.offset = 4 * 65536, .length = 65536, .hole = false},
                                     {.offset = 5 * 65536, .length = 11 * 65536, .hole = true}};
  EXPECT_EQ(runs, expected);
}

TEST_F(FileDeviceTest, PunchedRangeGivesItsSpaceBack) {
  const auto device = open(path_, Access::kReadWrite);
  const std::vector<std::byte> data(kSizeBytes, std::byte{1});
  run_until_done(reactor_, device->write(context_, 0, data));
  run_until_done(reactor_, device->flush(context_));
  struct stat before {};
  ASSERT_EQ(stat(path_.c_str(), &before), 0);
  run_until_done(reactor_, device->write_zeroes(context_, 0, kSizeBytes / 2, true));
  struct stat after {};
  ASSERT_EQ(stat(path_.c_str(), &after), 0);
  EXPECT_LT(after.st_blocks, before.st_blocks);
  EXPECT_EQ(after.st_size, before.st_size);
}

class FileDeviceOnLoop : public FileDeviceTest {
 protected:
  void SetUp() override {
    const std::string missing = LoopDevice::unavailable_because();
    if (!missing.empty()) GTEST_SKIP() << missing;
    loop_.emplace(path_);
  }
  std::optional<LoopDevice> loop_;
};

TEST_F(FileDeviceOnLoop, SizeIsTheDevices) {
  EXPECT_EQ(open(loop_->path(), Access::kReadOnly)->geometry().size_bytes, kSizeBytes);
}

TEST_F(FileDeviceOnLoop, ClaimedDeviceIsBusyForWriters) {
  const FileDescriptor holder(::open(loop_->path().c_str(), O_RDONLY | O_EXCL | O_CLOEXEC));
  ASSERT_TRUE(holder.valid());
  const Error error = refusal(loop_->path(), Access::kReadWrite);
  EXPECT_EQ(error.kind(), ErrorKind::kBusy);
  EXPECT_FALSE(error.cause().empty());
}

TEST_F(FileDeviceOnLoop, WriterClaimsTheDevice) {
  const auto writer = open(loop_->path(), Access::kReadWrite);
  const FileDescriptor other(::open(loop_->path().c_str(), O_RDONLY | O_EXCL | O_CLOEXEC));
  EXPECT_FALSE(other.valid());
  EXPECT_EQ(errno, EBUSY);
}

TEST_F(FileDeviceOnLoop, ZerosWithUnalignedEndsAreExact) {
  const auto device = open(loop_->path(), Access::kReadWrite);
  for (const bool may_unmap : {false, true}) {
    std::vector<std::byte> model(kSizeBytes, std::byte{1});
    run_until_done(reactor_, device->write(context_, 0, model));
    run_until_done(reactor_, device->write_zeroes(context_, 1000, 100'001, may_unmap));
    std::fill_n(model.begin() + 1000, 100'001, std::byte{0});
    std::vector<std::byte> found(kSizeBytes);
    run_until_done(reactor_, device->read(context_, 0, found));
    EXPECT_EQ(found, model) << "may_unmap " << may_unmap;
  }
}

// The backing file of the loop device is sealed after the write: writing it back then fails.
TEST_F(FileDeviceOnLoop, FlushThatFailedOnceFailsForEver) {
  const FileDescriptor backing(memfd_create("backing", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(backing.get(), kSizeBytes), 0);
  const LoopDevice loop("/proc/self/fd/" + std::to_string(backing.get()));
  const auto device = open(loop.path(), Access::kReadWrite);
  const std::vector<std::byte> data(4096, std::byte{1});
  run_until_done(reactor_, device->write(context_, 0, data));
  ASSERT_EQ(fcntl(backing.get(), F_ADD_SEALS, F_SEAL_WRITE), 0);
  for (int attempt = 0; attempt < 3; ++attempt) {
    try {
      run_until_done(reactor_, device->flush(context_));
      ADD_FAILURE() << "flush " << attempt << " succeeded";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kIo);
    }
  }
  EXPECT_THROW(run_until_done(reactor_, device->write(context_, 0, data, {.fua = true})), Error);
}

}  // namespace
}  // namespace lunfs

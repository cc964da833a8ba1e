#include "volume/lvm/lv_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file_device.h"
#include "base/run.h"
#include "tests/support/memory_device.h"
#include "tests/support/temp_dir.h"
#include "tests/support/unpack.h"
#include "tests/unit/lvm/lvm_image.h"
#include "volume/lvm/vg_reader.h"

namespace lunfs::lvm {
namespace {

using lunfs::testing::MemoryDevice;
using testing::Bytes;
using ::testing::ElementsAre;
using testing::kExtentBytes;
using testing::kPeStart;
using testing::usual_image;
using testing::usual_text;

std::uint64_t pe(std::uint64_t number) { return kPeStart + number * kExtentBytes; }

/// A LUN with LV "a" (extents 0 to 3 and 10 to 11), its bytes all different by place.
class LvDeviceTest : public ::testing::Test {
 protected:
  explicit LvDeviceTest(const std::string& text = usual_text()) : lun_(usual_image(text)) {
    std::minstd_rand random(3);
    for (std::uint64_t i = kPeStart; i < lun_.bytes().size(); ++i) {
      lun_.bytes()[i] = static_cast<std::byte>(random());
    }
    vg_ = testing::read_vg(lun_);
    lun_.reset_counts();
  }

  LvDevice open(const std::string& name = "a", bool read_only = false) {
    return {lun_, vg_, *vg_->find(name), read_only};
  }

  template <typename T>
  T run(Task<T> task) {
    return run_until_done(reactor_, std::move(task));
  }

  /// What the LV's range should hold, straight from the LUN's bytes.
  Bytes expected(std::uint64_t offset, std::uint64_t length) const {
    Bytes result;
    for (const Piece& piece : vg_->find("a")->map->locate(offset, length)) {
      const auto begin = lun_.bytes().begin() + static_cast<std::ptrdiff_t>(piece.lun_offset);
      result.insert(result.end(), begin, begin + static_cast<std::ptrdiff_t>(piece.length));
    }
    return result;
  }

  Bytes read(LvDevice& lv, std::uint64_t offset, std::uint64_t length) {
    Bytes result(length);
    run(lv.read(context_, offset, result));
    return result;
  }

  MemoryDevice lun_;
  Reactor reactor_;
  RequestContext context_ = RequestContext::within(std::chrono::seconds(60));
  std::shared_ptr<const VolumeGroup> vg_;
};

TEST_F(LvDeviceTest, ReadInOnePieceIsOneReadOfTheLun) {
  LvDevice lv = open();
  EXPECT_EQ(read(lv, 5, 1000), expected(5, 1000));
  EXPECT_EQ(lun_.counts().reads, 1U);
}

TEST_F(LvDeviceTest, ReadOverSegmentsIsInOrder) {
  LvDevice lv = open();
  EXPECT_EQ(read(lv, 0, 6 * kExtentBytes), expected(0, 6 * kExtentBytes));
  EXPECT_EQ(lun_.counts().reads, 2U);
}

TEST_F(LvDeviceTest, RandomReadsAreTheBytesOfTheMap) {
  LvDevice lv = open();
  lun_.suspend_through(reactor_);
  std::minstd_rand random(5);
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t offset = random() % (6 * kExtentBytes);
    const std::uint64_t length = random() % (6 * kExtentBytes - offset + 1);
    ASSERT_EQ(read(lv, offset, length), expected(offset, length)) << offset << " " << length;
  }
}

TEST_F(LvDeviceTest, WriteChangesItsRangeAndNothingElse) {
  LvDevice lv = open();
  const Bytes before = lun_.bytes();
  const Bytes data(2 * kExtentBytes, std::byte{0x5a});
  run(lv.write(context_, 3 * kExtentBytes, data, {.fua = true}));
  EXPECT_EQ(lun_.counts().fua_writes, 2U);
  Bytes after = before;
  const auto fill = [&](std::uint64_t begin) {
    std::fill_n(after.begin() + static_cast<std::ptrdiff_t>(begin), kExtentBytes, std::byte{0x5a});
  };
  fill(pe(3));
  fill(pe(10));
  EXPECT_EQ(lun_.bytes(), after);
}

TEST_F(LvDeviceTest, WriteZeroesReachesEveryPiece) {
  LvDevice lv = open();
  run(lv.write_zeroes(context_, 4 * kExtentBytes - 1, 2, true));
  EXPECT_EQ(lun_.bytes()[pe(4) - 1], std::byte{0});
  EXPECT_EQ(lun_.bytes()[pe(10)], std::byte{0});
  EXPECT_EQ(lun_.counts().zeroes, 2U);
}

TEST_F(LvDeviceTest, UnmapReachesEveryPiece) {
  Geometry shape = lun_.geometry();
  shape.can_unmap = true;
  lun_.set_geometry(shape);
  LvDevice lv = open();
  run(lv.unmap(context_, 0, 6 * kExtentBytes));
  EXPECT_EQ(lun_.counts().unmaps, 2U);
  EXPECT_EQ(lun_.bytes()[pe(0)], std::byte{0xdb});
  EXPECT_EQ(lun_.bytes()[pe(12) - 1], std::byte{0xdb});
}

TEST_F(LvDeviceTest, FlushIsTheLuns) {
  LvDevice lv = open();
  run(lv.flush(context_));
  EXPECT_EQ(lun_.counts().flushes, 1U);
}

TEST_F(LvDeviceTest, CompareAndWriteInOnePieceIsTheLuns) {
  Geometry shape = lun_.geometry();
  shape.can_compare_and_write = true;
  lun_.set_geometry(shape);
  LvDevice lv = open();
  const Bytes old = expected(0, 512);
  const Bytes data(512, std::byte{7});
  EXPECT_TRUE(run(lv.compare_and_write(context_, 0, old, data)));
  EXPECT_FALSE(run(lv.compare_and_write(context_, 0, old, data)));
  EXPECT_EQ(read(lv, 0, 512), data);
}

TEST_F(LvDeviceTest, CompareAndWriteOverTwoPiecesIsUnsupported) {
  LvDevice lv = open();
  const Bytes data(512);
  try {
    static_cast<void>(run(lv.compare_and_write(context_, 4 * kExtentBytes - 256, data, data)));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  }
}

TEST_F(LvDeviceTest, RangeBeyondTheLvIsRefusedEvenWhereTheLunGoesOn) {
  LvDevice lv = open();
  Bytes out(2);
  EXPECT_THROW(run(lv.read(context_, 6 * kExtentBytes - 1, out)), Error);
  EXPECT_EQ(lun_.counts().reads, 0U);
}

TEST_F(LvDeviceTest, GeometryIsTheLunsWithTheLvsSize) {
  Geometry shape = lun_.geometry();
  shape.can_unmap = true;
  shape.block_size_bytes = 512;
  shape.physical_block_bytes = 4096;
  lun_.set_geometry(shape);
  const Geometry found = open().geometry();
  EXPECT_EQ(found.size_bytes, 6 * kExtentBytes);
  EXPECT_EQ(found.block_size_bytes, 512U);
  EXPECT_EQ(found.physical_block_bytes, 4096U);
  EXPECT_TRUE(found.can_unmap);
  EXPECT_FALSE(found.read_only);
}

TEST_F(LvDeviceTest, ReadOnlyIsAskedForOrTheLuns) {
  EXPECT_TRUE(open("a", true).geometry().read_only);
  LvDevice lv = open();
  lun_.set_read_only(true);
  EXPECT_TRUE(lv.geometry().read_only);
  const Bytes data(1);
  EXPECT_THROW(run(lv.write(context_, 0, data)), Error);
}

TEST_F(LvDeviceTest, AnUnmappedLvCannotBeOpened) {
  LogicalVolume lv = *vg_->find("a");
  lv.map = nullptr;
  lv.unmapped_reason = "because";
  try {
    const LvDevice device(lun_, vg_, lv, false);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
    EXPECT_EQ(error.message(), "LV a cannot be mapped: because");
  }
}

TEST(LvDeviceFlags, MarksOfVgAndLvMakeItReadOnly) {
  const std::string status = "\"READ\", \"WRITE\", \"VISIBLE\"]";
  const std::vector<std::pair<std::string, std::string>> rows{
      {status, "\"READ\", \"VISIBLE\"]"},
      {status, "\"READ\", \"WRITE\"]"},
      {"max_lv", "system_id = \"hostA\" max_lv"},
  };
  for (const auto& [from, to] : rows) {
    SCOPED_TRACE(to);
    MemoryDevice lun(usual_image(testing::replaced(usual_text(), from, to)));
    const auto vg = testing::read_vg(lun);
    EXPECT_TRUE(LvDevice(lun, vg, *vg->find("a"), false).geometry().read_only);
  }
}

/// A LUN that says for itself what is allocated: every second extent is a hole.
class Holey final : public BlockDevice {
 public:
  explicit Holey(Bytes image) : inner_(std::move(image)) {}
  [[nodiscard]] Geometry geometry() const noexcept override { return inner_.geometry(); }

 protected:
  Task<void> do_read(RequestContext& context, std::uint64_t offset, IoSpan out) override {
    return inner_.read(context, offset, out);
  }
  Task<void> do_write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                      WriteFlags flags) override {
    return inner_.write(context, offset, in, flags);
  }
  Task<void> do_flush(RequestContext& context) override { return inner_.flush(context); }
  Task<std::vector<Extent>> do_allocated(RequestContext& /*context*/, std::uint64_t offset,
                                         std::uint64_t length) override {
    std::vector<Extent> all;
    while (length > 0) {
      const std::uint64_t step = std::min(length, kExtentBytes - offset % kExtentBytes);
      all.push_back({offset, step, (offset / kExtentBytes) % 2 == 1});
      offset += step;
      length -= step;
    }
    co_return all;
  }

 private:
  MemoryDevice inner_;
};

TEST(LvDeviceAllocated, RunsAreInTheLvsOffsetsAndMerged) {
  Holey lun(usual_image(usual_text()));
  const auto vg = testing::read_vg(lun);
  LvDevice lv(lun, vg, *vg->find("a"), false);
  Reactor reactor;
  RequestContext context = RequestContext::within(std::chrono::seconds(60));
  // extents 0 1 2 3 10 11 of the PV, which starts at an even one: hole, if odd
  EXPECT_THAT(
      run_until_done(reactor, lv.allocated(context, 100, 6 * kExtentBytes - 100)),
      ElementsAre(Extent{100, kExtentBytes - 100, false}, Extent{kExtentBytes, kExtentBytes, true},
                  Extent{2 * kExtentBytes, kExtentBytes, false},
                  Extent{3 * kExtentBytes, kExtentBytes, true},
                  Extent{4 * kExtentBytes, kExtentBytes, false},
                  Extent{5 * kExtentBytes, kExtentBytes, true}));
}

TEST_F(LvDeviceTest, AllocatedRunsThatAreAlikeAreOne) {
  LvDevice lv = open();
  EXPECT_THAT(run(lv.allocated(context_, 0, 6 * kExtentBytes)),
              ElementsAre(Extent{0, 6 * kExtentBytes, false}));
}

/// One striped LV in pieces of 4 KiB over two stripes of 56 extents: 1792 pieces in all.
class StripedLvDeviceTest : public LvDeviceTest {
 protected:
  StripedLvDeviceTest()
      : LvDeviceTest(testing::vg_text(testing::lv(
            "a", 1,
            testing::segment(1, 0, 112,
                             "type = \"striped\"\nstripe_count = 2\nstripe_size = 8\nstripes = [ "
                             "\"pv0\", 56, \"pv0\", 0 ]")))) {}
};

TEST_F(StripedLvDeviceTest, MorePiecesThanMayBeInFlightAreReadInOrder) {
  LvDevice lv = open();
  lun_.suspend_through(reactor_);
  const std::uint64_t size = 112 * kExtentBytes;
  EXPECT_EQ(read(lv, 0, size), expected(0, size));
  EXPECT_EQ(lun_.counts().reads, size / 4096);
}

TEST_F(StripedLvDeviceTest, WriteAndReadBackAgree) {
  LvDevice lv = open();
  lun_.suspend_through(reactor_, 9);
  Bytes data(3 * kExtentBytes);
  std::minstd_rand random(11);
  for (std::byte& byte : data) byte = static_cast<std::byte>(random());
  run(lv.write(context_, 12345, data));
  EXPECT_EQ(read(lv, 12345, data.size()), data);
  EXPECT_EQ(expected(12345, data.size()), data);
}

std::string sha256(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(
      ::popen(("sha256sum " + path).c_str(), "r"), ::pclose);
  std::string line(64, '\0');
  EXPECT_EQ(std::fread(line.data(), 1, line.size(), pipe.get()), line.size());
  return line;
}

TEST(LvDeviceOnASampleSr, LvsHaveTheSumsOfTheSample) {
  const auto json = nlohmann::json::parse(testing::golden_file("xenserver/sr-sample.json"));
  const lunfs::testing::TempDir dir;
  lunfs::testing::unpack_to_file(LUNFS_TEST_DATA "/xenserver/sr-sample.img.xz", dir.file("lun"));
  Reactor reactor;
  ThreadPool pool(2);
  const auto lun = FileDevice::open(dir.file("lun"), Access::kReadOnly, reactor, pool);
  RequestContext context = RequestContext::within(std::chrono::seconds(100));
  const auto vg = run_until_done(reactor, read_volume_group(context, *lun, reactor));
  EXPECT_EQ(vg->name, json.at("vg"));
  for (const auto& [name, segments] : json.at("segments").items()) {
    ASSERT_NE(vg->find(name), nullptr) << name;
    ASSERT_TRUE(vg->find(name)->map) << vg->find(name)->unmapped_reason;
    EXPECT_EQ(vg->find(name)->map->segments().size(), segments) << name;
  }
  std::map<std::string, std::string> sums = json.at("lvsha");
  for (const auto& [uuid, vdi] : json.at("vdis").items()) {
    if (vdi.at("kind") == "raw") sums["LV-" + uuid] = vdi.at("sha256");
  }
  for (const auto& [name, sum] : sums) {
    LvDevice lv(*lun, vg, *vg->find(name), true);
    std::ofstream copy(dir.file("copy"), std::ios::binary | std::ios::trunc);
    Bytes buffer((4 << 20) + 4096);
    for (std::uint64_t at = 0; at < lv.geometry().size_bytes; at += buffer.size()) {
      const IoSpan part(buffer.data(),
                        std::min<std::uint64_t>(buffer.size(), lv.geometry().size_bytes - at));
      run_until_done(reactor, lv.read(context, at, part));
      copy.write(reinterpret_cast<const char*>(part.data()),
                 static_cast<std::streamsize>(part.size()));
    }
    copy.close();
    EXPECT_EQ(sha256(dir.file("copy")), sum) << name;
  }
}

}  // namespace
}  // namespace lunfs::lvm

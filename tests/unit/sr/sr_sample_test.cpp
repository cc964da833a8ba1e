// A whole SR, made by lvm2 and by the storage manager's own code, against the answers beside it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <tuple>

#include "base/bytes.h"
#include "base/file_device.h"
#include "base/run.h"
#include "base/thread_pool.h"
#include "tests/support/temp_dir.h"
#include "tests/support/unpack.h"
#include "volume/lvm/lv_device.h"
#include "volume/lvm/vg_reader.h"
#include "volume/sr/catalog.h"
#include "volume/sr/catalog_json.h"
#include "volume/sr/summary.h"

namespace lunfs::sr {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;

/// By another program than ours.
std::string sha256_of_file(const std::string& path) {
  std::FILE* pipe = popen(("sha256sum " + path).c_str(), "r");
  std::array<char, 65> digest{};
  if (pipe == nullptr || std::fread(digest.data(), 1, 64, pipe) != 64) return "sha256sum failed";
  pclose(pipe);
  return digest.data();
}

class SrSample : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new lunfs::testing::TempDir();
    lunfs::testing::unpack_to_file(LUNFS_TEST_DATA "/xenserver/sr-sample.img.xz",
                                   folder_->file("lun.img"));
  }
  static void TearDownTestSuite() { delete folder_; }

  SrSample() {
    std::ifstream(LUNFS_TEST_DATA "/xenserver/sr-sample.json") >> answers_;
    device_ = FileDevice::open(folder_->file("lun.img"), Access::kReadOnly, reactor_, pool_);
    vg_ = run_until_done(reactor_, lvm::read_volume_group(context_, *device_, reactor_));
    catalog_ = run_until_done(reactor_, read_catalog(context_, *device_, vg_, false));
  }

  std::string sha256_of(BlockDevice& device) {
    const std::uint64_t size = device.geometry().size_bytes;
    const std::string path = folder_->file("bytes");
    std::ofstream out(path, std::ios::binary);
    std::vector<std::byte> bytes(1U << 20U);
    for (std::uint64_t offset = 0; offset < size; offset += bytes.size()) {
      bytes.resize(std::min<std::uint64_t>(bytes.size(), size - offset));
      run_until_done(reactor_, device.read(context_, offset, bytes));
      out << as_text(bytes);
    }
    out.close();
    return sha256_of_file(path);
  }

  std::string sha256_of_lv(const std::string& name) {
    lvm::LvDevice lv(*device_, vg_, *vg_->find(name), true);
    return sha256_of(lv);
  }

  std::unique_ptr<BlockDevice> open(const Volume& volume) {
    return open_disk({reactor_, *device_, cache_, images_}, vg_, *volume.disk, true);
  }

  const Volume& volume(const std::string& uuid) {
    const auto found =
        std::find_if(catalog_.volumes.begin(), catalog_.volumes.end(),
                     [&](const Volume& one) { return one.file_name == uuid + ".raw"; });
    return found == catalog_.volumes.end() ? throw std::out_of_range(uuid) : *found;
  }

  static lunfs::testing::TempDir* folder_;
  Reactor reactor_;
  ThreadPool pool_{1};
  RequestContext context_ = RequestContext::within(std::chrono::seconds(60));
  nlohmann::json answers_;
  std::unique_ptr<FileDevice> device_;
  std::shared_ptr<const lvm::VolumeGroup> vg_;
  Catalog catalog_;
  vhd::MetadataCache cache_;
  OpenImages images_;
};

lunfs::testing::TempDir* SrSample::folder_ = nullptr;

TEST_F(SrSample, IsAnSrWithItsLabel) {
  EXPECT_EQ(catalog_.layout, Layout::kXenServer);
  EXPECT_EQ(catalog_.sr_uuid->text(), answers_["sr"].get<std::string>());
  EXPECT_EQ(catalog_.vg->name, answers_["vg"].get<std::string>());
  EXPECT_NE(catalog_.sr_label, "");
  EXPECT_THAT(catalog_.read_only_reason, HasSubstr("-o detached"));
  EXPECT_THAT(catalog_.warnings, IsEmpty());
}

TEST_F(SrSample, ShowsExactlyItsVisibleVdis) {
  using Facts = std::tuple<std::string, std::string, std::uint64_t>;
  std::map<std::string, Facts> expected;
  for (const auto& [uuid, vdi] : answers_["vdis"].items()) {
    expected[uuid + ".raw"] = {vdi["label"], vdi["kind"], vdi["size"]};
  }
  std::map<std::string, Facts> found;
  for (const Volume& volume : catalog_.volumes) {
    found[volume.file_name] = {volume.label, volume.kind, volume.size_bytes};
    EXPECT_EQ(volume.read_only, volume.is_vhd()) << volume.read_only_reason;
  }
  EXPECT_EQ(found, expected);
  EXPECT_EQ(found.size(), 7U);
}

TEST_F(SrSample, GivesAVdisBytes) {
  for (const Volume& volume : catalog_.volumes) {
    const std::unique_ptr<BlockDevice> disk = open(volume);
    EXPECT_EQ(disk->geometry().size_bytes, volume.size_bytes);
    EXPECT_EQ(sha256_of(*disk), answers_["vdis"][volume.uuid->text()]["sha256"]) << volume.lv_name;
  }
}

TEST_F(SrSample, KnowsWhatItsDisksStandOn) {
  const auto images = [this](const std::string& uuid) { return volume(uuid).disk->plan.images; };
  const std::string root = "VHD-101cd468-5a5c-4689-a4c3-8c4119613698";
  const std::string middle = "VHD-77ef456c-892a-486a-9560-aaa5c3d6543d";
  const std::string leaf = "6190d680-4ac3-453d-a847-ba9e31bfa7aa";
  const std::string snapshot = "3a645ffd-a899-44b0-bc60-1fee51c7a821";
  EXPECT_THAT(images(leaf), ElementsAre("VHD-" + leaf, middle, root));
  EXPECT_THAT(images(snapshot), ElementsAre("VHD-" + snapshot, middle, root));
  EXPECT_EQ(volume(snapshot).snapshot_of, Uuid::parse(leaf));
  const Volume& on_raw = volume("66272a7c-df1e-4c2a-a6d1-b6173397f360");
  EXPECT_EQ(on_raw.disk->plan.raw_base, "LV-0670026d-cb1f-442d-913e-6de54ac5ab72");
  EXPECT_EQ(on_raw.allocated_bytes, on_raw.size_bytes);
  EXPECT_EQ(volume("87d3bba0-9c60-439d-85af-cf78c35dc88e").allocated_bytes, 0U);
}

TEST_F(SrSample, AllocatedBytesAreAllThatTheDiskTells) {
  for (const Volume& volume : catalog_.volumes) {
    const std::unique_ptr<BlockDevice> disk = open(volume);
    const std::vector<Extent> runs =
        run_until_done(reactor_, disk->allocated(context_, 0, volume.size_bytes));
    std::uint64_t sum = 0;
    for (const Extent& run : runs) sum += run.hole ? 0 : run.length;
    EXPECT_LE(sum, volume.allocated_bytes) << volume.lv_name;
  }
}

TEST_F(SrSample, GivesTheBytesOfWhatIsHiddenAsWell) {
  for (const std::string name : {"MGT", "LV-0670026d-cb1f-442d-913e-6de54ac5ab72"}) {
    EXPECT_EQ(sha256_of_lv(name), answers_["lvsha"][name]) << name;
  }
}

TEST_F(SrSample, SaysOfEveryOtherLvWhyItIsNotShown) {
  std::set<std::string> expected;
  std::size_t vhds = 0;
  for (const auto& [name, segments] : answers_["segments"].items()) {
    expected.insert(name);
    vhds += name.starts_with("VHD-") ? 1U : 0U;
  }
  for (const Volume& volume : catalog_.volumes) {
    expected.erase(volume.lv_name);
    vhds -= volume.is_vhd() ? 1U : 0U;
  }

  std::set<std::string> found;
  std::size_t found_vhds = 0;
  for (const NotShown& one : catalog_.not_shown) {
    found.insert(one.lv_name);
    found_vhds += one.vhd ? 1U : 0U;
    EXPECT_NE(one.reason, "") << one.lv_name;
    EXPECT_FALSE(one.faulty) << one.lv_name;
  }
  EXPECT_EQ(found, expected);
  EXPECT_EQ(found_vhds, vhds);
  EXPECT_EQ(vhds, 3U);
}

TEST_F(SrSample, CallsTheOrphanWasteAndTheOthersBaseCopies) {
  const std::string waste = "VHD-24dc5fd3-c06a-4e5c-bcce-0e26051514b2";
  for (const NotShown& one : catalog_.not_shown) {
    if (one.vhd) {
      EXPECT_THAT(one.reason, HasSubstr(one.lv_name == waste ? "waste" : "base copy"));
    }
  }
}

TEST_F(SrSample, ListsEveryLvAsBytes) {
  std::set<std::string> expected;
  for (const auto& [name, segments] : answers_["segments"].items()) expected.insert(name);
  EXPECT_EQ(std::set(catalog_.lv_names.begin(), catalog_.lv_names.end()), expected);
}

TEST_F(SrSample, NumbersTheTwoDisksOfTheSameLabel) {
  std::vector<std::pair<std::string, std::string>> links;
  for (const NameLink& link : catalog_.links) links.emplace_back(link.name, link.file_name);
  EXPECT_THAT(
      links,
      IsSupersetOf({std::pair{"raw one.raw", "7d1a9627-15db-461e-ab25-21e9db90e2b4.raw"},
                    std::pair{"raw one (2).raw", "e1eda9da-3332-4aff-97f6-c34a1a78c214.raw"}}));
  EXPECT_EQ(links.size(), 7U);
}

TEST_F(SrSample, TheSummaryCountsTheDisksThatTheCatalogShows) {
  const Summary summary = run_until_done(reactor_, summarize(context_, *device_, reactor_));
  EXPECT_EQ(summary.kind, Summary::Kind::kSr);
  EXPECT_EQ(summary.uuid, catalog_.sr_uuid);
  EXPECT_EQ(summary.label, catalog_.sr_label);
  const auto unreadable = std::count_if(
      catalog_.not_shown.begin(), catalog_.not_shown.end(),
      [](const NotShown& one) { return !one.kind.empty() && (one.faulty || one.kind == "qcow2"); });
  EXPECT_EQ(summary.vdis, catalog_.volumes.size() + static_cast<std::size_t>(unreadable));
}

TEST_F(SrSample, TheJsonOfTheCatalogHasEveryLvOnce) {
  const nlohmann::ordered_json json = catalog_json(catalog_);
  std::set<std::string> lvs;
  for (const char* list : {"volumes", "not_shown"}) {
    for (const auto& one : json[list]) EXPECT_TRUE(lvs.insert(one["lv"]).second) << one["lv"];
  }
  EXPECT_EQ(lvs.size(), vg_->volumes.size());
  EXPECT_EQ(json["vg"]["free_bytes"], vg_->free_extent_count * vg_->extent_bytes);
}

}  // namespace
}  // namespace lunfs::sr

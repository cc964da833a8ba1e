#include "tools/reach.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "tests/support/temp_dir.h"
#include "tools/sr_info.h"

namespace lunfs::tools {
namespace {

using lunfs::testing::TempDir;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::chrono::seconds kLimit{20};

ErrorKind failure_of(const std::string& source) {
  try {
    static_cast<void>(name_source(source, kLimit));
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::kInternal;
}

TEST(NameSource, AUrlIsOneInAnyCase) {
  EXPECT_EQ(name_source("ISCSI://h/iqn.2026-11.example:x/1", kLimit).kind, SourceKind::kUrl);
}

TEST(NameSource, AFileIsNamedByItsTruePath) {
  const TempDir folder;
  std::ofstream(folder.file("lun.img")) << "x";
  std::filesystem::create_symlink("lun.img", folder.file("link"));
  const NamedSource source = name_source(folder.file("link"), kLimit);
  EXPECT_EQ(source.kind, SourceKind::kPath);
  EXPECT_EQ(source.name, std::filesystem::canonical(folder.file("lun.img")).string());
}

TEST(NameSource, ADirectoryThatIsNoMountIsUsage) {
  const TempDir folder;
  EXPECT_EQ(failure_of(folder.path().string()), ErrorKind::kUsage);
}

TEST(NameSource, NothingIsNotFound) {
  const TempDir folder;
  EXPECT_EQ(failure_of(folder.file("none")), ErrorKind::kNotFound);
}

TEST(ReachOptions, AnInitiatorIsChecked) {
  ReachOptions options;
  options.initiator = "IQN.2026-11.example:Host";
  EXPECT_EQ(options.identity().initiator, "iqn.2026-11.example:host");
  options.initiator = "nonsense";
  EXPECT_THROW(static_cast<void>(options.identity()), Error);
}

TEST(SrInfoText, SectionsWithoutFactsAreLeftOut) {
  const Json document = {{"source", "lun.img"},
                         {"size_bytes", 1024U},
                         {"sessions", Json::array()},
                         {"vg", {{"name", "data"}, {"size_bytes", 3072U}, {"free_bytes", 1024U}}},
                         {"volumes", Json::array()},
                         {"not_shown", Json::array()},
                         {"warnings", {"odd\nthing"}}};
  EXPECT_EQ(sr_info_text(document),
            "VG\n"
            "  name  data\n"
            "  size  3.0 KiB\n"
            "  used  2.0 KiB\n"
            "  free  1.0 KiB\n"
            "\n"
            "LUN\n"
            "  size           1.0 KiB\n"
            "  size in bytes  1024\n"
            "\n"
            "Source\n"
            "  source  lun.img\n"
            "\n"
            "Warnings\n"
            "  odd\\x0athing\n");
}

TEST(SrInfoText, AnSrHasItsDisksCounted) {
  const Json document = {
      {"sr", {{"uuid", "u"}, {"label", "pool"}}}, {"volumes", {1, 2, 3}}, {"not_shown", {1}}};
  EXPECT_THAT(sr_info_text(document), HasSubstr("SR\n  uuid           u\n  label          pool\n"
                                                "  disks          3\n  LVs not shown  1\n"));
}

}  // namespace
}  // namespace lunfs::tools

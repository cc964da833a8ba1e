#include "tools/probe_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lunfs::tools {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kUuid = "c2a7af9e-ab79-4005-add1-77d2c700d84c";
constexpr const char* kUrl = "iscsi://192.0.2.7:3260/iqn.2026-11.example:pool/1";

Json sr_lun() {
  return {{"lun", 1},
          {"url", kUrl},
          {"vendor", "IET"},
          {"serial", "beaf11"},
          {"scsi_id", "36001405"},
          {"size_bytes", 2U << 20U},
          {"content", "sr"},
          {"sr",
           {{"uuid", kUuid},
            {"label", "pool & co"},
            {"description", ""},
            {"vdis", 3},
            {"pool_metadata", false}}},
          {"vg", {{"name", "VG_XenStorage"}, {"size_bytes", 1U << 20U}, {"free_bytes", 4096U}}}};
}

Json lun_with(unsigned number, Json fields) {
  Json lun = {{"lun", number}, {"url", "iscsi://x"}, {"size_bytes", 1024U}};
  lun.update(fields);
  return lun;
}

Json document_of(Json luns) {
  return {{"portal", "192.0.2.7:3260"},
          {"initiator", "iqn.2026-11.example:host7"},
          {"targets",
           {{{"iqn", "iqn.2026-11.example:pool"},
             {"portals", {"192.0.2.7:3260,1", "[2001:db8::7]:3261,2"}},
             {"state", "ok"},
             {"luns", std::move(luns)}}}}};
}

TEST(ProbeText, ALineForEachLunWithWhatIsOnIt) {
  Json document = document_of(
      Json::array({sr_lun(), lun_with(2, {{"content", "empty"}}),
                   lun_with(3, {{"content", "vg"}, {"vg", {{"name", "data"}, {"free_bytes", 0U}}}}),
                   lun_with(4, {{"content", "unknown"}, {"looks_like", "swap space"}}),
                   lun_with(5, {{"content", "unknown"}}), lun_with(6, {{"content", "pv"}}),
                   lun_with(0, {{"content", "no_disk"}})}));
  EXPECT_EQ(probe_text(document),
            "TARGET                    LUN     SIZE  CONTENT              LABEL      SR UUID       "
            "          "
            "              VDIS     FREE  SCSIID\n"
            "iqn.2026-11.example:pool    1  2.0 MiB  XenServer SR         pool & co  "
            "c2a7af9e-ab79-4005-add1-77d2c700d84c     3  4.0 KiB  36001405\n"
            "iqn.2026-11.example:pool    2  1.0 KiB  empty                -          -             "
            "          "
            "                 -        -  -\n"
            "iqn.2026-11.example:pool    3  1.0 KiB  VG data              -          -             "
            "          "
            "                 -      0 B  -\n"
            "iqn.2026-11.example:pool    4  1.0 KiB  unknown: swap space  -          -             "
            "          "
            "                 -        -  -\n"
            "iqn.2026-11.example:pool    5  1.0 KiB  unknown              -          -             "
            "          "
            "                 -        -  -\n"
            "iqn.2026-11.example:pool    6  1.0 KiB  PV without a VG      -          -             "
            "          "
            "                 -        -  -\n");
}

TEST(ProbeText, AnSrEndsWithTheLinesThatMountIt) {
  Json document = document_of(Json::array({sr_lun()}));
  add_mount_lines(document, {});
  const std::string text = probe_text(document);
  EXPECT_THAT(text, HasSubstr("\nTo mount, once the directory is there:\n  lunfs " +
                              std::string(kUrl) + " /mnt/" + kUuid + " -o ro  # pool & co\n"));
  EXPECT_THAT(text, HasSubstr("\nIn /etc/fstab:\n  " + std::string(kUrl) + " /mnt/" + kUuid +
                              " fuse.lunfs ro,_netdev,nofail 0 0\n"));
}

TEST(ProbeText, ALabelCannotMakeALineOfItsOwn) {
  Json lun = sr_lun();
  lun["sr"]["label"] = "x\nrm -rf /\x1b[2J";
  Json document = document_of(Json::array({lun}));
  add_mount_lines(document, {});
  EXPECT_THAT(probe_text(document), HasSubstr("# x\\x0arm -rf /\\x1b[2J\n"));
  EXPECT_THAT(probe_text(document), Not(HasSubstr("\nrm")));
}

TEST(ProbeText, ARefusingTargetHasReasonAndNameToAllow) {
  Json document = document_of(Json::array());
  Json& target = document["targets"][0];
  target.erase("luns");
  target["state"] = "refused";
  target["error"] = {{"kind", "auth"}, {"message", "no"}, {"cause", "why"}, {"remedy", "do"}};
  EXPECT_EQ(probe_text(document),
            "TARGET                    CONTENT\n"
            "iqn.2026-11.example:pool  refused\n"
            "\n"
            "iqn.2026-11.example:pool: no\n"
            "  likely cause: why\n"
            "  what to do: do\n"
            "  initiator to allow: iqn.2026-11.example:host7\n");
}

TEST(ProbeText, ATargetWithoutDisksSaysSo) {
  EXPECT_THAT(probe_text(document_of(Json::array())),
              HasSubstr("iqn.2026-11.example:pool  no LUN"));
}

TEST(MountLines, OnlyWhatHasAVgHasThem) {
  Json document = document_of(
      Json::array({lun_with(1, {{"content", "empty"}}), lun_with(2, {{"content", "damaged"}}),
                   lun_with(3, {{"content", "pv"}})}));
  add_mount_lines(document, {});
  for (const Json& lun : document["targets"][0]["luns"]) EXPECT_FALSE(lun.contains("mount"));
}

TEST(MountLines, APlainVgIsMountedByItsName) {
  Json document =
      document_of(Json::array({lun_with(1, {{"content", "vg"}, {"vg", {{"name", "data"}}}})}));
  add_mount_lines(document, {});
  EXPECT_EQ(document["targets"][0]["luns"][0]["mount"]["command"],
            "lunfs iscsi://x /mnt/data -o ro");
}

TEST(MountLines, TheOptionsOfTheProbeAreTheirs) {
  Json document = document_of(Json::array({sr_lun()}));
  ReachOptions options;
  options.credentials = "/etc/my, own file's";
  options.initiator = "iqn.2026-11.example:host7";
  add_mount_lines(document, options);
  const Json& mount = document["targets"][0]["luns"][0]["mount"];
  // In the shell the whole word is quoted; lunfs takes the backslash for the comma's.
  EXPECT_THAT(mount["command"], HasSubstr("-o 'ro,credentials=/etc/my\\, own file'\\''s,"
                                          "initiator=iqn.2026-11.example:host7'"));
  EXPECT_THAT(mount["fstab"],
              HasSubstr("ro,_netdev,nofail,credentials=/etc/my\\134,\\040own\\040file's,"
                        "initiator=iqn.2026-11.example:host7 0 0"));
}

TEST(ProbeXml, TargetsStandAsXePrintsThem) {
  EXPECT_EQ(targets_xml(document_of(Json::array())),
            "<?xml version=\"1.0\"?>\n"
            "<iscsi-target-iqns>\n"
            "\t<TGT>\n"
            "\t\t<Index>\n\t\t\t0\n\t\t</Index>\n"
            "\t\t<IPAddress>\n\t\t\t192.0.2.7\n\t\t</IPAddress>\n"
            "\t\t<TargetIQN>\n\t\t\tiqn.2026-11.example:pool\n\t\t</TargetIQN>\n"
            "\t</TGT>\n"
            "\t<TGT>\n"
            "\t\t<Index>\n\t\t\t1\n\t\t</Index>\n"
            "\t\t<IPAddress>\n\t\t\t[2001:db8::7]\n\t\t</IPAddress>\n"
            "\t\t<Port>\n\t\t\t3261\n\t\t</Port>\n"
            "\t\t<TargetIQN>\n\t\t\tiqn.2026-11.example:pool\n\t\t</TargetIQN>\n"
            "\t</TGT>\n"
            "\t<TGT>\n"
            "\t\t<Index>\n\t\t\t2\n\t\t</Index>\n"
            "\t\t<IPAddress>\n\t\t\t192.0.2.7\n\t\t</IPAddress>\n"
            "\t\t<TargetIQN>\n\t\t\t*\n\t\t</TargetIQN>\n"
            "\t</TGT>\n"
            "</iscsi-target-iqns>\n");
}

TEST(ProbeXml, AnAddressWithoutAPortIsAtTheUsualOne) {
  Json document = document_of(Json::array());
  document["targets"][0]["portals"] = {"192.0.2.8,1", "[2001:db8::7],1", "nonsense:x:y,1"};
  const std::string xml = targets_xml(document);
  EXPECT_THAT(xml, HasSubstr("<IPAddress>\n\t\t\t192.0.2.8\n"));
  EXPECT_THAT(xml, HasSubstr("<IPAddress>\n\t\t\t[2001:db8::7]\n"));
  EXPECT_THAT(xml, HasSubstr("<IPAddress>\n\t\t\tnonsense:x:y\n"));
  EXPECT_THAT(xml, Not(HasSubstr("<Port>")));
}

TEST(ProbeXml, LunsStandAsXePrintsThemWithoutWhatIsEmpty) {
  const Json document =
      document_of(Json::array({lun_with(0, {{"content", "no_disk"}}), sr_lun(),
                               lun_with(2, {{"content", "empty"}, {"serial", ""}})}));
  EXPECT_EQ(luns_xml(document),
            "<?xml version=\"1.0\"?>\n"
            "<iscsi-target>\n"
            "\t<LUN>\n"
            "\t\t<vendor>\n\t\t\tIET\n\t\t</vendor>\n"
            "\t\t<serial>\n\t\t\tbeaf11\n\t\t</serial>\n"
            "\t\t<LUNid>\n\t\t\t1\n\t\t</LUNid>\n"
            "\t\t<size>\n\t\t\t2097152\n\t\t</size>\n"
            "\t\t<SCSIid>\n\t\t\t36001405\n\t\t</SCSIid>\n"
            "\t</LUN>\n"
            "\t<LUN>\n"
            "\t\t<LUNid>\n\t\t\t2\n\t\t</LUNid>\n"
            "\t\t<size>\n\t\t\t1024\n\t\t</size>\n"
            "\t</LUN>\n"
            "</iscsi-target>\n");
}

TEST(ProbeXml, AnSrStandsAsXePrintsIt) {
  EXPECT_EQ(srs_xml(document_of(Json::array({sr_lun()}))),
            "<?xml version=\"1.0\"?>\n"
            "<SRlist>\n"
            "\t<SR>\n"
            "\t\t<UUID>\n\t\t\tc2a7af9e-ab79-4005-add1-77d2c700d84c\n\t\t</UUID>\n"
            "\t\t<Devlist>\n\t\t\tiscsi://192.0.2.7:3260/iqn.2026-11.example:pool/1\n"
            "\t\t</Devlist>\n"
            "\t\t<size>\n\t\t\t1048576\n\t\t</size>\n"
            "\t\t<name_label>\n\t\t\tpool &amp; co\n\t\t</name_label>\n"
            "\t\t<pool_metadata_detected>\n\t\t\tfalse\n\t\t</pool_metadata_detected>\n"
            "\t</SR>\n"
            "</SRlist>\n");
}

TEST(ProbeXml, AFreeLunIsAnEmptyList) {
  EXPECT_EQ(srs_xml(document_of(Json::array({lun_with(1, {{"content", "empty"}})}))),
            "<?xml version=\"1.0\"?>\n<SRlist />\n");
}

TEST(ProbeXml, ALabelWithControlCharactersIsStillXml) {
  Json lun = sr_lun();
  lun["sr"]["label"] = "a\x1b<b>\x01";
  EXPECT_THAT(srs_xml(document_of(Json::array({lun}))), HasSubstr("a&lt;b&gt;\n"));
}

TEST(ProbeXml, BytesThatAreNoTextAreReplaced) {
  Json lun = sr_lun();
  lun["serial"] =
      "a\xff"
      "b\xef\xbf\xbf"
      "c";
  EXPECT_THAT(luns_xml(document_of(Json::array({lun}))), HasSubstr("a\xef\xbf\xbd"
                                                                   "b\xef\xbf\xbd"
                                                                   "c\n"));
}

}  // namespace
}  // namespace lunfs::tools

#include "volume/lvm/vg_reader.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/run.h"
#include "tests/support/memory_device.h"
#include "tests/unit/lvm/lvm_image.h"
#include "volume/lvm/crc.h"
#include "volume/lvm/metadata_area.h"

namespace lunfs::lvm {
namespace {

using lunfs::testing::MemoryDevice;
using ::testing::AllOf;
using testing::Bytes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kArea;
using testing::kSecondArea;
using testing::put_header;
using testing::put_label;
using testing::put_text;
using testing::read_vg;
using testing::replaced;
using testing::usual_image;
using testing::usual_text;

void expect_refused(Bytes image, ErrorKind kind, const std::string& what) {
  try {
    static_cast<void>(read_vg(std::move(image)));
    FAIL() << "no error; expected: " << what;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.message();
    EXPECT_THAT(error.message(), HasSubstr(what));
    EXPECT_NE(error.cause(), "") << error.message();
    EXPECT_NE(error.remedy(), "") << error.message();
  }
}

/// The usual text as another commit: `seqno`, and LV "b" called `name`.
std::string commit(unsigned seqno, std::string_view name) {
  return replaced(replaced(usual_text(), "seqno = 7", fmt::format("seqno = {}", seqno)), "\nb {",
                  fmt::format("\n{} {{", name));
}

Bytes two_areas(std::string_view first, std::string_view second) {
  Bytes image(testing::kLunBytes);
  put_label(image, {kArea, kSecondArea});
  put_text(image, kArea, first);
  put_text(image, kSecondArea, second);
  return image;
}

TEST(VgReader, ReadsOneArea) {
  const auto vg = read_vg(usual_image(usual_text()));
  EXPECT_EQ(vg->name, "vg0");
  const std::string text = usual_text() + '\0';
  EXPECT_EQ(vg->header, (HeaderTriple{512, crc(as_byte_span(text)), 7}));
  EXPECT_THAT(vg->warnings, IsEmpty());
  EXPECT_THAT(vg->write_refusals, IsEmpty());
}

TEST(VgReader, NeverWrites) {
  MemoryDevice device(usual_image(usual_text()));
  static_cast<void>(read_vg(device));
  EXPECT_EQ(device.counts().changes(), 0U);
}

TEST(VgReader, ReadsATextThatWrapsAtEveryPlace) {
  const std::uint64_t size = usual_text().size() + 1;
  for (const std::uint64_t before_end : {std::uint64_t{1}, size / 2, size - 1, size}) {
    Bytes image(testing::kLunBytes);
    put_label(image, {kArea});
    put_text(image, kArea, usual_text(), kArea.size - before_end);
    const auto vg = read_vg(std::move(image));
    EXPECT_EQ(vg->header.text_offset, kArea.size - before_end);
    EXPECT_EQ(vg->volumes.size(), 2U);
  }
}

TEST(VgReader, HigherSeqnoWinsInEitherArea) {
  for (const bool newer_first : {true, false}) {
    const std::string older = commit(7, "old");
    const std::string newer = commit(8, "new");
    const auto vg = read_vg(newer_first ? two_areas(newer, older) : two_areas(older, newer));
    EXPECT_EQ(vg->header.seqno, 8U);
    EXPECT_NE(vg->find("new"), nullptr);
    EXPECT_EQ(vg->find("old"), nullptr);
    EXPECT_THAT(vg->warnings, ElementsAre(HasSubstr("the metadata areas differ: seqno ")));
    EXPECT_THAT(vg->write_refusals, IsEmpty());
  }
}

TEST(VgReader, EqualAreasAreNothingToMention) {
  const auto vg = read_vg(two_areas(usual_text(), usual_text()));
  EXPECT_THAT(vg->warnings, IsEmpty());
  EXPECT_THAT(vg->write_refusals, IsEmpty());
}

TEST(VgReader, SameSeqnoWithDifferentTextsForbidsWriting) {
  const auto vg = read_vg(two_areas(commit(7, "x"), commit(7, "y")));
  EXPECT_NE(vg->find("x"), nullptr);
  EXPECT_THAT(vg->write_refusals, ElementsAre(HasSubstr("same seqno 7")));
}

TEST(VgReader, TornHeaderInOneAreaKeepsTheOthersVg) {
  Bytes image = two_areas(commit(8, "new"), commit(7, "old"));
  image[kArea.offset + 100] ^= std::byte{1};
  const auto vg = read_vg(std::move(image));
  EXPECT_NE(vg->find("old"), nullptr);
  EXPECT_THAT(vg->warnings, ElementsAre(HasSubstr("metadata area at 4096: the header's CRC is")));
  EXPECT_THAT(vg->write_refusals, ElementsAre(HasSubstr("may have held a newer VG")));
}

TEST(VgReader, BadTextInOneAreaKeepsTheOthersVg) {
  Bytes image = two_areas(commit(7, "old"), commit(8, "new"));
  image[kSecondArea.offset + 600] ^= std::byte{1};
  const auto vg = read_vg(std::move(image));
  EXPECT_NE(vg->find("old"), nullptr);
  EXPECT_THAT(vg->warnings, ElementsAre(HasSubstr("the metadata text's CRC is")));
}

TEST(VgReader, TextThatCannotBeParsedInOneAreaKeepsTheOthersVg) {
  const auto vg = read_vg(two_areas("vg0 { x = }", usual_text()));
  EXPECT_EQ(vg->volumes.size(), 2U);
  EXPECT_THAT(vg->warnings, ElementsAre(HasSubstr("cannot be parsed")));
}

TEST(VgReader, IgnoredAreaIsNotRead) {
  Bytes image = two_areas(commit(7, "old"), commit(8, "new"));
  put_header(image, kSecondArea, {512, 10, 1, 1});
  const auto vg = read_vg(std::move(image));
  EXPECT_NE(vg->find("old"), nullptr);
  EXPECT_THAT(vg->warnings, IsEmpty());
}

TEST(VgReader, OnlyIgnoredAreasMeanThatTheVgIsElsewhere) {
  Bytes image = usual_image(usual_text());
  put_header(image, kArea, {512, 10, 1, 1});
  expect_refused(std::move(image), ErrorKind::kUnsupported,
                 "its metadata areas are marked ignored");
}

TEST(VgReader, NoAreaMeansThatTheVgIsElsewhere) {
  Bytes image = usual_image(usual_text());
  put_label(image, {});
  std::fill(image.begin() + 616, image.begin() + 632, std::byte{0});
  testing::fix_label(image);
  expect_refused(std::move(image), ErrorKind::kUnsupported, "it has no metadata area");
}

TEST(VgReader, EmptyAreaIsAPvWithoutAVg) {
  Bytes image = usual_image(usual_text());
  put_header(image, kArea, {0, 0, 0, 0});
  try {
    static_cast<void>(read_vg(std::move(image)));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
    EXPECT_EQ(error.message(), fmt::format("PV {} has no VG, although its label says that one uses "
                                           "it",
                                           testing::kPvUuid));
    EXPECT_THAT(error.remedy(), HasSubstr("vgcreate(8)"));
  }
}

TEST(VgReader, EachKindOfDamageHasItsOwnError) {
  const auto damaged = [](const std::function<void(Bytes&)>& damage) {
    Bytes image = usual_image(usual_text());
    damage(image);
    return image;
  };
  expect_refused(damaged([](Bytes& image) { image[700] ^= std::byte{1}; }), ErrorKind::kCorrupt,
                 "the PV's label is damaged: label in sector 1: its CRC is 0x");
  expect_refused(damaged([](Bytes& image) { image[kArea.offset + 40] ^= std::byte{1}; }),
                 ErrorKind::kCorrupt, "metadata area at 4096: the header's CRC is 0x");
  expect_refused(damaged([](Bytes& image) { image[kArea.offset + 512] ^= std::byte{1}; }),
                 ErrorKind::kCorrupt, "metadata area at 4096: the metadata text's CRC is 0x");
  expect_refused(damaged([](Bytes& image) { put_text(image, kArea, usual_text().substr(0, 800)); }),
                 ErrorKind::kCorrupt,
                 "metadata area at 4096: the metadata text is cut short: it ends at byte 800");
  expect_refused(Bytes(testing::kLunBytes), ErrorKind::kNotFound, "not a PV");
  expect_refused(Bytes(2047), ErrorKind::kNotFound, "not a PV: it has 2047 bytes");
}

TEST(VgReader, DamageNamesACauseAndARemedy) {
  Bytes image = usual_image(usual_text());
  image[kArea.offset + 512] ^= std::byte{1};
  try {
    static_cast<void>(read_vg(std::move(image)));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.cause(), HasSubstr("something else than LVM wrote there"));
    EXPECT_THAT(error.remedy(), AllOf(HasSubstr("pvck(8)"), HasSubstr("first MiB")));
  }
}

TEST(VgReader, AreaBeyondACutLunIsDamaged) {
  Bytes image = two_areas(commit(7, "x"), commit(7, "x"));
  image.resize(testing::kLunBytes - 65536);
  const auto vg = read_vg(std::move(image));
  EXPECT_TRUE(vg->find("x")->map);
  EXPECT_THAT(
      vg->warnings,
      ElementsAre(HasSubstr("metadata area at 8323072: it begins beyond the LUN's end at 8323072"),
                  HasSubstr("the LUN is shorter than its VG")));
}

TEST(VgReader, LunCutToATenthKeepsTheLvsThatAreWhole) {
  // extents begin at 1 MiB; cut behind extent 5
  Bytes image = usual_image(usual_text());
  image.resize(testing::kPeStart + 6 * testing::kExtentBytes);
  const auto vg = read_vg(std::move(image));
  EXPECT_THAT(vg->find("a")->unmapped_reason, HasSubstr("segment2: reaches beyond the LUN"));
  EXPECT_THAT(vg->find("b")->unmapped_reason, HasSubstr("segment1: reaches beyond the LUN"));
  image = usual_image(usual_text());
  image.resize(testing::kPeStart + 8 * testing::kExtentBytes);
  EXPECT_TRUE(read_vg(std::move(image))->find("b")->map);
}

TEST(VgReader, LvOnTheSecondAreaIsRefused) {
  // the last extent lies on the metadata area at the LUN's end
  const std::string text = replaced(usual_text(), "\"pv0\", 10", "\"pv0\", 110");
  const auto vg = read_vg(two_areas(text, text));
  EXPECT_THAT(vg->find("a")->unmapped_reason, HasSubstr("metadata area at 8323072"));
  EXPECT_TRUE(vg->find("b")->map);
}

TEST(VgReader, CommitUnderWayIsAWarning) {
  Bytes image = usual_image(usual_text());
  const std::string text = usual_text() + '\0';
  put_header(image, kArea, {512, text.size(), crc(as_byte_span(text)), 0}, {4096, 10, 1, 0});
  const auto vg = read_vg(std::move(image));
  EXPECT_THAT(vg->warnings, ElementsAre(HasSubstr("a commit is under way or has crashed")));
}

TEST(VgReader, TripleIsTheNewestAreas) {
  MemoryDevice device(two_areas(commit(7, "old"), commit(9, "new")));
  Reactor reactor;
  RequestContext context = RequestContext::within(std::chrono::seconds(60));
  const HeaderTriple triple = run_until_done(reactor, read_header_triple(context, device, reactor));
  EXPECT_EQ(triple, read_vg(device)->header);
  EXPECT_EQ(triple.seqno, 9U);
}

/// A device whose content is `torn` for the first `reads` reads, as if another host were writing.
class Racing final : public BlockDevice {
 public:
  Racing(Bytes torn, Bytes whole, int reads)
      : torn_(std::move(torn)), whole_(std::move(whole)), left_(reads) {}
  [[nodiscard]] Geometry geometry() const noexcept override { return whole_.geometry(); }

 protected:
  Task<void> do_read(RequestContext& context, std::uint64_t offset, IoSpan out) override {
    return left_-- > 0 ? torn_.read(context, offset, out) : whole_.read(context, offset, out);
  }
  Task<void> do_write(RequestContext& context, std::uint64_t offset, ConstIoSpan in,
                      WriteFlags flags) override {
    return whole_.write(context, offset, in, flags);
  }
  Task<void> do_flush(RequestContext& context) override { return whole_.flush(context); }

 private:
  MemoryDevice torn_;
  MemoryDevice whole_;
  int left_;
};

TEST(VgReader, ChecksumThatMatchesOnASecondLookIsGood) {
  struct Torn {
    std::uint64_t byte;
    int reads;
  };
  // each is torn for exactly one attempt: label; header; header and text
  for (const Torn& torn : {Torn{700, 1}, Torn{kArea.offset + 40, 2}, Torn{kArea.offset + 512, 3}}) {
    Bytes bad = usual_image(usual_text());
    bad[torn.byte] ^= std::byte{1};
    Racing device(bad, usual_image(usual_text()), torn.reads);
    const auto vg = read_vg(device);
    EXPECT_EQ(vg->volumes.size(), 2U);
    EXPECT_THAT(vg->write_refusals, IsEmpty());
  }
}

TEST(VgReader, MismatchThatStaysIsToldWithinASecond) {
  Bytes image = usual_image(usual_text());
  image[700] ^= std::byte{1};
  const auto start = std::chrono::steady_clock::now();
  expect_refused(std::move(image), ErrorKind::kCorrupt, "label is damaged");
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_GE(took, std::chrono::milliseconds(400));  // it did look again
  EXPECT_LE(took, std::chrono::seconds(3));
}

TEST(VgReader, DeadlineBeforeTheNextLookTellsTheMismatch) {
  Bytes image = usual_image(usual_text());
  image[700] ^= std::byte{1};
  MemoryDevice device(std::move(image));
  Reactor reactor;
  RequestContext context = RequestContext::within(std::chrono::milliseconds(50));
  try {
    static_cast<void>(run_until_done(reactor, read_volume_group(context, device, reactor)));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  }
}

}  // namespace
}  // namespace lunfs::lvm

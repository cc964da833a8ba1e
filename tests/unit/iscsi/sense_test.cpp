#include "iscsi/sense.h"

#include <gtest/gtest.h>

#include <vector>

namespace lunfs::iscsi {
namespace {

std::vector<std::byte> bytes_of(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

TEST(Sense, FixedFormatIsRead) {
  const auto bytes = bytes_of({0x70, 0, 3, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x11, 0x04, 0, 0, 0, 0});
  EXPECT_EQ(parse_sense(bytes), (Sense{SenseKey::kMediumError, 0x11, 0x04, false}));
}

TEST(Sense, DescriptorFormatIsRead) {
  EXPECT_EQ(parse_sense(bytes_of({0x72, 6, 0x29, 0x01, 0, 0, 0, 0})),
            (Sense{SenseKey::kUnitAttention, 0x29, 0x01, false}));
}

TEST(Sense, DeferredErrorsAreTold) {
  const auto fixed = bytes_of({0xf1, 0, 4, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x44, 0});
  EXPECT_EQ(parse_sense(fixed), (Sense{SenseKey::kHardwareError, 0x44, 0, true}));
  EXPECT_EQ(parse_sense(bytes_of({0x73, 3, 0x0c, 0})),
            (Sense{SenseKey::kMediumError, 0x0c, 0, true}));
}

TEST(Sense, CutOffOrUnknownDataIsNoSense) {
  EXPECT_EQ(parse_sense({}), std::nullopt);
  EXPECT_EQ(parse_sense(bytes_of({0x70, 0, 3, 0, 0, 0, 0})), std::nullopt);
  EXPECT_EQ(parse_sense(bytes_of({0x72, 3, 0x11})), std::nullopt);
  EXPECT_EQ(parse_sense(bytes_of({0x7f, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1})), std::nullopt);
}

TEST(Sense, FixedFormatWithoutAdditionalCodeCountsItAsZero) {
  EXPECT_EQ(parse_sense(bytes_of({0x70, 0, 5, 0, 0, 0, 0, 0})),
            (Sense{SenseKey::kIllegalRequest, 0, 0, false}));
}

TEST(Sense, HasItsT10NameInTheText) {
  EXPECT_EQ(sense_text({SenseKey::kMediumError, 0x11, 0x00, false}),
            "MEDIUM ERROR 03/11/00 unrecovered read error");
  EXPECT_EQ(sense_text({SenseKey::kDataProtect, 0x27, 0x07, false}),
            "DATA PROTECT 07/27/07 space allocation failed write protect");
  EXPECT_EQ(sense_text({SenseKey::kHardwareError, 0x44, 0x00, true}),
            "deferred HARDWARE ERROR 04/44/00 internal target failure");
  EXPECT_EQ(sense_text({SenseKey::kVendorSpecific, 0xf0, 0x12, false}), "VENDOR SPECIFIC 09/f0/12");
  EXPECT_EQ(sense_text({static_cast<SenseKey>(0xc), 0, 0, false}),
            "RESERVED SENSE KEY 0c/00/00 no additional sense information");
}

TEST(Sense, KindIsWhatACallerCanActOn) {
  const struct {
    Sense sense;
    ErrorKind kind;
  } cases[] = {
      {{SenseKey::kMediumError, 0x11, 0, false}, ErrorKind::kIo},
      {{SenseKey::kHardwareError, 0x44, 0, false}, ErrorKind::kIo},
      {{SenseKey::kNotReady, 0x04, 0x01, false}, ErrorKind::kBusy},
      {{SenseKey::kDataProtect, 0x27, 0x00, false}, ErrorKind::kReadOnly},
      {{SenseKey::kDataProtect, 0x27, 0x07, false}, ErrorKind::kNoSpace},
      {{SenseKey::kDataProtect, 0x27, 0x07, true}, ErrorKind::kIo},
      {{SenseKey::kIllegalRequest, 0x25, 0x00, false}, ErrorKind::kNotFound},
      {{SenseKey::kIllegalRequest, 0x20, 0x00, false}, ErrorKind::kUnsupported},
      {{SenseKey::kIllegalRequest, 0x27, 0x00, false}, ErrorKind::kReadOnly},
      {{SenseKey::kAbortedCommand, 0x47, 0x00, false}, ErrorKind::kIo},
  };
  for (const auto& c : cases) EXPECT_EQ(sense_kind(c.sense), c.kind) << sense_text(c.sense);
}

}  // namespace
}  // namespace lunfs::iscsi

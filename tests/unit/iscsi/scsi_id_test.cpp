#include "iscsi/scsi_id.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace lunfs::iscsi {
namespace {

using Bytes = std::vector<std::byte>;

Bytes bytes_of(std::string_view text) {
  const ConstByteSpan span = as_byte_span(text);
  return {span.begin(), span.end()};
}

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Bytes raw(std::initializer_list<unsigned> values) {
  Bytes bytes;
  for (const unsigned value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

enum : unsigned { kBinary = 1, kAscii = 2 };

Bytes designator(unsigned code_set, unsigned type, const Bytes& name, unsigned association = 0) {
  return raw({code_set, association << 4U | type, 0, static_cast<unsigned>(name.size())}) + name;
}

Bytes page_83(const Bytes& list) {
  return raw({0, 0x83, static_cast<unsigned>(list.size() >> 8U),
              static_cast<unsigned>(list.size() & 0xffU)}) +
         list;
}

/// Standard INQUIRY data.
Bytes inquiry(std::string_view vendor_and_product) {
  return Bytes(8) + bytes_of(vendor_and_product) + bytes_of("0001");
}
const Bytes kInquiry = inquiry("IET     VIRTUAL-DISK    ");
const Bytes kNaa6 = raw({0x60, 0x01, 0x40, 0x5a, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
const Bytes kNaa5 = raw({0x50, 0x01, 0x40, 0x5a, 1, 2, 3, 4});

std::string id_of(const Bytes& list) {
  const Bytes page = page_83(list);
  return scsi_id({.inquiry = kInquiry, .page_80 = {}, .page_83 = page});
}

TEST(ScsiId, AnNaaNameHasAThreeInFront) {
  EXPECT_EQ(id_of(designator(kBinary, 3, kNaa6)), "36001405a0102030405060708090a0b0c");
}

TEST(ScsiId, AnEui64HasATwoInFront) {
  EXPECT_EQ(id_of(designator(kBinary, 2, raw({0, 0x11, 0xaa, 0xff, 1, 2, 3, 4}))),
            "20011aaff01020304");
}

TEST(ScsiId, ABinaryVendorNameIsHex) {
  EXPECT_EQ(id_of(designator(kBinary, 1, bytes_of("IET") + Bytes(5))), "14945540000000000");
}

TEST(ScsiId, ATextualVendorNameStaysTextWithoutBlanks) {
  EXPECT_EQ(id_of(designator(kAscii, 1, bytes_of(" LIO-ORG  disk 1  "))), "1_LIO-ORG_disk_1");
}

TEST(ScsiId, AVendorSpecificNameComesBehindVendorAndProduct) {
  EXPECT_EQ(id_of(designator(kAscii, 0, bytes_of("beef"))), "0IET_VIRTUAL-DISK_beef");
}

TEST(ScsiId, TheExtendedNaaNameIsBetterThanOthers) {
  const Bytes t10 = designator(kAscii, 1, bytes_of("vendor"));
  const Bytes eui = designator(kBinary, 2, raw({1, 2, 3, 4, 5, 6, 7, 8}));
  const Bytes naa5 = designator(kBinary, 3, kNaa5);
  const Bytes naa6 = designator(kBinary, 3, kNaa6);
  EXPECT_EQ(id_of(t10 + eui + naa5 + naa6), "36001405a0102030405060708090a0b0c");
  EXPECT_EQ(id_of(t10 + eui + naa5), "35001405a01020304");
  EXPECT_EQ(id_of(t10 + eui), "20102030405060708");
}

TEST(ScsiId, ANaaNameOfAReservedFormatComesBeforeEui64) {
  EXPECT_EQ(id_of(designator(kBinary, 2, raw({1, 2})) + designator(kBinary, 3, raw({0x30, 1}))),
            "33001");
}

TEST(ScsiId, NamesOfPortAndTargetAreNotTheLuns) {
  EXPECT_EQ(id_of(designator(kBinary, 3, kNaa6, 1) + designator(kBinary, 3, kNaa5, 2)), "");
}

TEST(ScsiId, ATextEndsAtItsFirstNul) {
  EXPECT_EQ(id_of(designator(kAscii, 1, bytes_of(std::string_view("ab\0cd", 5)))), "1ab");
}

TEST(ScsiId, BytesThatAreNoTextBecomeUnderscores) {
  EXPECT_EQ(id_of(designator(kAscii, 1, bytes_of("a\x1b[\xff"))), "1a_[_");
}

TEST(ScsiId, AnOldPageWithoutDescriptorsIsAWwn) {
  const Bytes page = raw({0, 0x83, 0, 8}) + raw({0x60, 0x06, 0x04, 0x80, 1, 2, 3, 4});
  EXPECT_EQ(scsi_id({.inquiry = kInquiry, .page_80 = {}, .page_83 = page}), "36006048001020304");
}

TEST(ScsiId, WithoutANameTheSerialNumberIsTaken) {
  const Bytes serial = raw({0, 0x80, 0, 6}) + bytes_of("SN  12");
  EXPECT_EQ(scsi_id({.inquiry = kInquiry, .page_80 = serial, .page_83 = {}}),
            "SIET_VIRTUAL-DISK_SN_12");
}

TEST(ScsiId, ASerialNumberNeedsVendorAndProduct) {
  const Bytes serial = raw({0, 0x80, 0, 2}) + bytes_of("12");
  const Bytes no_names = Bytes(8);
  EXPECT_EQ(scsi_id({.inquiry = no_names, .page_80 = serial, .page_83 = {}}), "");
}

TEST(ScsiId, PagesThatAreCutOffGiveNoNameAndNoHarm) {
  const Bytes page = page_83(designator(kBinary, 3, kNaa6));
  for (std::size_t length = 0; length < page.size(); ++length) {
    EXPECT_EQ(
        scsi_id({.inquiry = kInquiry, .page_80 = {}, .page_83 = ConstByteSpan(page).first(length)}),
        "")
        << length;
  }
}

TEST(ScsiId, ADescriptorLongerThanThePageEndsTheSearch) {
  Bytes list = designator(kBinary, 3, kNaa6);
  list[3] = std::byte{200};
  EXPECT_EQ(id_of(list), "");
}

}  // namespace
}  // namespace lunfs::iscsi

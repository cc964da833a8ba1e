#include "volume/vhd/checksum.h"

#include <gtest/gtest.h>

#include "tests/unit/vhd/vhd_bytes.h"

namespace lunfs::vhd {
namespace {

using testing::Bytes;
using testing::hex;

TEST(Checksum, IsTheComplementOfTheSum) {
  EXPECT_EQ(checksum_of(hex("01 02 03 00000000"), 3), ~6U);
  EXPECT_EQ(checksum_of(hex("00000000"), 0), ~0U);
}

TEST(Checksum, ItsOwnFieldCountsAsZeros) {
  EXPECT_EQ(checksum_of(hex("01 ffffffff 02"), 1), ~3U);
  EXPECT_EQ(checksum_of(hex("ffffffff 01 02"), 0), ~3U);
}

TEST(Checksum, BytesOfStructuresAreUnsigned) {
  EXPECT_EQ(checksum_of(hex("ff 80 00000000"), 2), ~(0xFFU + 0x80U));
}

TEST(Checksum, FieldOutsideIsCorrupt) {
  EXPECT_EQ(testing::error_of([] { (void)checksum_of(hex("010203"), 0); }).kind(),
            ErrorKind::kCorrupt);
}

TEST(MapChecksum, SignTellsHowBytesFrom0x80OnCount) {
  EXPECT_EQ(checksum_of_map(hex("7f"), ByteSign::kSigned), ~0x7FU);
  EXPECT_EQ(checksum_of_map(hex("80"), ByteSign::kUnsigned), ~0x80U);
  EXPECT_EQ(checksum_of_map(hex("80"), ByteSign::kSigned), 0x7FU);  // ~(-128)
  EXPECT_EQ(checksum_of_map(hex("ff"), ByteSign::kSigned), 0U);     // ~(-1)
  EXPECT_EQ(checksum_of_map(hex("ff01"), ByteSign::kSigned), ~0U);
}

TEST(MapChecksum, OfNothingIsAllOnes) {
  EXPECT_EQ(checksum_of_map({}, ByteSign::kUnsigned), ~0U);
  EXPECT_EQ(checksum_of_map({}, ByteSign::kSigned), ~0U);
}

}  // namespace
}  // namespace lunfs::vhd

#include "volume/vhd/fields.h"

#include <gtest/gtest.h>

#include "tests/unit/vhd/vhd_bytes.h"

namespace lunfs::vhd {
namespace {

using testing::hex;

TEST(Fields, WhatCannotBeShownIsADot) {
  EXPECT_EQ(printable(hex("1f 20 41 7e 7f 80 ff 00")), ". A~....");
}

TEST(Fields, UuidKeepsItsBytesInOrder) {
  EXPECT_EQ(load_uuid(hex("ee 39219189eb8547b1a128100b1959e28e"), 1).text(),
            "39219189-eb85-47b1-a128-100b1959e28e");
  EXPECT_EQ(testing::error_of([] { (void)load_uuid(hex("0011"), 0); }).kind(), ErrorKind::kCorrupt);
}

TEST(Fields, Utf16HasAByteOrder) {
  EXPECT_EQ(utf8_of_utf16(hex("0041"), ByteOrder::kBig), "A");
  EXPECT_EQ(utf8_of_utf16(hex("0041"), ByteOrder::kLittle), "\xE4\x84\x80");
}

TEST(Fields, Utf16AtTheLimitsOfEachLength) {
  EXPECT_EQ(utf8_of_utf16(hex("007e 00a0 07ff 0800 d7ff e000 ffff"), ByteOrder::kBig),
            "\x7E\xC2\xA0\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF");
  EXPECT_EQ(utf8_of_utf16(hex("d800dc00 dbffdfff"), ByteOrder::kBig),
            "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF");
}

TEST(Fields, EmptyIsText) {
  EXPECT_EQ(utf8_of_utf16({}, ByteOrder::kBig), "");
  EXPECT_EQ(checked_utf8({}), "");
}

}  // namespace
}  // namespace lunfs::vhd

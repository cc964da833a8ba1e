#include "base/bytes.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string>
#include <vector>

namespace lunfs {
namespace {

std::vector<std::byte> bytes_of(std::initializer_list<unsigned> values) {
  std::vector<std::byte> bytes;
  for (const unsigned value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

template <typename Call>
ErrorKind kind_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "no error";
  return ErrorKind::kInternal;
}

const std::vector<std::byte> kEight = bytes_of({1, 2, 3, 4, 5, 6, 7, 8});

TEST(Bytes, LoadsLittleEndian) {
  EXPECT_EQ(load_le<std::uint8_t>(kEight, 0), 0x01U);
  EXPECT_EQ(load_le<std::uint16_t>(kEight, 1), 0x0302U);
  EXPECT_EQ(load_le<std::uint32_t>(kEight, 4), 0x08070605U);
  EXPECT_EQ(load_le<std::uint64_t>(kEight, 0), 0x0807060504030201U);
}

TEST(Bytes, LoadsBigEndian) {
  EXPECT_EQ(load_be<std::uint8_t>(kEight, 7), 0x08U);
  EXPECT_EQ(load_be<std::uint16_t>(kEight, 1), 0x0203U);
  EXPECT_EQ(load_be<std::uint32_t>(kEight, 4), 0x05060708U);
  EXPECT_EQ(load_be<std::uint64_t>(kEight, 0), 0x0102030405060708U);
}

TEST(Bytes, StoresWhatItLoads) {
  std::vector<std::byte> out(10, std::byte{0xFF});
  store_le<std::uint32_t>(out, 1, 0x04030201U);
  store_be<std::uint16_t>(out, 5, 0x0506U);
  store_be<std::uint8_t>(out, 9, 0x07U);
  EXPECT_EQ(out, bytes_of({0xFF, 1, 2, 3, 4, 5, 6, 0xFF, 0xFF, 7}));
}

TEST(Bytes, LoadBeyondTheEndIsCorrupt) {
  const auto corrupt = ErrorKind::kCorrupt;
  EXPECT_EQ(kind_of([] { load_le<std::uint64_t>(kEight, 1); }), corrupt);
  EXPECT_EQ(kind_of([] { load_be<std::uint16_t>(kEight, 7); }), corrupt);
  EXPECT_EQ(kind_of([] { load_le<std::uint8_t>(kEight, 8); }), corrupt);
  EXPECT_EQ(kind_of([] { load_le<std::uint8_t>({}, 0); }), corrupt);
  EXPECT_EQ(kind_of([] {
              load_le<std::uint32_t>(kEight, std::numeric_limits<std::uint64_t>::max() - 1);
            }),
            corrupt);
}

TEST(Bytes, StoreBeyondTheEndIsABugAndChangesNothing) {
  std::vector<std::byte> out = kEight;
  EXPECT_EQ(kind_of([&] { store_le<std::uint32_t>(out, 5, 0); }), ErrorKind::kInternal);
  EXPECT_EQ(kind_of([&] {
              store_be<std::uint32_t>(out, std::numeric_limits<std::uint64_t>::max() - 1, 0);
            }),
            ErrorKind::kInternal);
  EXPECT_EQ(out, kEight);
}

TEST(Bytes, SubSpanMayEndAtTheEnd) {
  EXPECT_EQ(sub_span(kEight, 6, 2).size(), 2U);
  EXPECT_EQ(sub_span(kEight, 8, 0).size(), 0U);
  EXPECT_EQ(kind_of([] { sub_span(kEight, 9, 0); }), ErrorKind::kCorrupt);
  EXPECT_EQ(kind_of([] { sub_span(kEight, 6, 3); }), ErrorKind::kCorrupt);
}

TEST(Bytes, TextAndBytesShareTheirStorage) {
  const std::string text = "LABELONE";
  const ConstByteSpan bytes = as_byte_span(text);
  EXPECT_EQ(static_cast<const void*>(bytes.data()), static_cast<const void*>(text.data()));
  EXPECT_EQ(as_text(bytes), text);
}

TEST(Bytes, AllZeroLooksAtEveryByte) {
  std::vector<std::byte> bytes(100);
  EXPECT_TRUE(all_zero(bytes));
  EXPECT_TRUE(all_zero({}));
  bytes.back() = std::byte{1};
  EXPECT_FALSE(all_zero(bytes));
}

}  // namespace
}  // namespace lunfs

#include "iscsi/receive_tap.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/bytes.h"

namespace lunfs::iscsi {
namespace {

using Bytes = std::vector<std::byte>;

Bytes data_in(std::uint32_t tag, std::uint32_t offset, std::uint32_t length) {
  Bytes pdu(48 + (length + 3) / 4 * 4);
  store_be<std::uint8_t>(pdu, 0, 0x25);
  store_be<std::uint32_t>(pdu, 4, length);
  store_be<std::uint32_t>(pdu, 16, tag);
  store_be<std::uint32_t>(pdu, 40, offset);
  return pdu;
}

Bytes response(std::uint8_t code, std::uint8_t status) {
  Bytes pdu(48);
  store_be<std::uint8_t>(pdu, 0, 0x21);
  store_be<std::uint8_t>(pdu, 2, code);
  store_be<std::uint8_t>(pdu, 3, status);
  return pdu;
}

TEST(ReceiveTap, CountsTheDataOfEveryCommand) {
  ReceiveTap tap;
  tap.expect(1);
  tap.expect(2);
  for (Bytes pdu : {data_in(1, 0, 100), data_in(2, 0, 7), data_in(1, 100, 3), data_in(9, 0, 50)}) {
    tap.received(pdu);
  }
  EXPECT_EQ(tap.take(1), 103U);
  EXPECT_EQ(tap.take(2), 7U);
  EXPECT_EQ(tap.take(1), 0U);
  EXPECT_EQ(tap.fault(), std::nullopt);
}

TEST(ReceiveTap, StreamMayComeInAnyPieces) {
  for (std::size_t piece = 1; piece < 60; ++piece) {
    ReceiveTap tap;
    tap.expect(1);
    Bytes stream;
    for (const Bytes& pdu : {data_in(1, 0, 5), response(0, 2), data_in(1, 5, 8), response(1, 0)}) {
      stream.insert(stream.end(), pdu.begin(), pdu.end());
    }
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      tap.received(std::span(stream).subspan(at, std::min(piece, stream.size() - at)));
    }
    EXPECT_EQ(tap.take(1), 13U) << piece;
    EXPECT_EQ(stream[56 + 3], std::byte{2}) << piece;
    EXPECT_EQ(stream[stream.size() - 48 + 3], std::byte{0x40}) << piece;
  }
}

TEST(ReceiveTap, TellsTheLengthOfTheLastPayload) {
  ReceiveTap tap;
  EXPECT_EQ(tap.payload_bytes(), 0U);
  Bytes data = data_in(1, 0, 9);
  tap.received(std::span(data).first(48));
  EXPECT_EQ(tap.payload_bytes(), 12U);
  tap.received(std::span(data).subspan(48));
  Bytes without_data = response(0, 0);
  tap.received(without_data);
  EXPECT_EQ(tap.payload_bytes(), 12U);
}

TEST(ReceiveTap, DataOutOfPlaceIsAFaultAndDoesNotCount) {
  for (const std::uint32_t offset : {0U, 99U, 101U}) {
    ReceiveTap tap;
    tap.expect(1);
    Bytes first = data_in(1, 0, 100);
    Bytes second = data_in(1, offset, 100);
    tap.received(first);
    tap.received(second);
    EXPECT_TRUE(tap.fault().has_value()) << offset;
    EXPECT_EQ(tap.take(1), 100U);
  }
}

TEST(ReceiveTap, OnlyAFailedResponseIsChanged) {
  for (const auto& [code, status, expected] :
       {std::tuple{0, 0, 0}, {0, 2, 2}, {0, 8, 8}, {1, 0, 0x40}, {1, 2, 0x40}, {0x80, 0, 0x40}}) {
    ReceiveTap tap;
    Bytes pdu = response(static_cast<std::uint8_t>(code), static_cast<std::uint8_t>(status));
    tap.received(pdu);
    EXPECT_EQ(std::to_integer<int>(pdu[3]), expected);
  }
}

TEST(ReceiveTap, PaddingBecomesZerosInAnyPieces) {
  Bytes pdu(48 + 8, std::byte{0xee});
  std::fill(pdu.begin(), pdu.begin() + 48, std::byte{0});
  store_be<std::uint8_t>(pdu, 0, 0x24);
  store_be<std::uint32_t>(pdu, 4, 5);
  for (std::size_t piece = 1; piece <= pdu.size(); ++piece) {
    ReceiveTap tap;
    Bytes stream = pdu;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      tap.received(std::span(stream).subspan(at, std::min(piece, stream.size() - at)));
    }
    EXPECT_EQ(Bytes(stream.begin() + 48, stream.begin() + 53), Bytes(5, std::byte{0xee})) << piece;
    EXPECT_EQ(Bytes(stream.begin() + 53, stream.end()), Bytes(3)) << piece;
  }
}

TEST(ReceiveTap, DataWithoutPaddingIsLeftAlone) {
  Bytes pdu(48 + 8, std::byte{0xee});
  std::fill(pdu.begin(), pdu.begin() + 48, std::byte{0});
  store_be<std::uint8_t>(pdu, 0, 0x25);
  store_be<std::uint32_t>(pdu, 4, 8);
  ReceiveTap tap;
  tap.received(pdu);
  EXPECT_EQ(Bytes(pdu.begin() + 48, pdu.end()), Bytes(8, std::byte{0xee}));
}

}  // namespace
}  // namespace lunfs::iscsi

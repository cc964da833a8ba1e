#include "iscsi/socket_buffer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>
#include <vector>

#include "base/bytes.h"

namespace lunfs::iscsi {
namespace {

using Bytes = std::vector<std::byte>;

/// Bytes that tell where they belong.
Bytes numbered(std::size_t size, std::size_t from = 0) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>((from + i) * 7 / 5);
  return bytes;
}

/// A PDU with this much data behind its header, and padding.
Bytes pdu(std::size_t payload) {
  Bytes bytes = numbered(48 + payload);
  bytes.resize(48 + (payload + 3) / 4 * 4);
  std::fill(bytes.begin(), bytes.begin() + 48, std::byte{0});
  store_be<std::uint32_t>(bytes, 4, static_cast<std::uint32_t>(payload));
  return bytes;
}

/// A buffer on one end of a pair of sockets, of which the test holds the other.
class SocketBufferTest : public testing::Test {
 protected:
  SocketBufferTest() {
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds_.data()), 0);
    buffer_.begin();
  }
  ~SocketBufferTest() override {
    for (const int fd : fds_) close(fd);
  }

  ssize_t send(Bytes bytes) {
    const iovec part{bytes.data(), bytes.size()};
    return buffer_.send(fd(), {&part, 1});
  }
  ssize_t receive(Bytes& bytes) {
    const iovec part{bytes.data(), bytes.size()};
    return buffer_.receive(fd(), {&part, 1});
  }
  /// What the peer has got since the last call.
  Bytes arrived() {
    Bytes bytes(1 << 20);
    const ssize_t size = ::read(fds_[1], bytes.data(), bytes.size());
    bytes.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return bytes;
  }
  void peer_sends(const Bytes& bytes) {
    EXPECT_EQ(::write(fds_[1], bytes.data(), bytes.size()), std::ssize(bytes));
  }
  void peer_closes() { shutdown(fds_[1], SHUT_RDWR); }
  int fd() const { return fds_[0]; }

  std::array<int, 2> fds_{};
  ReceiveTap tap_;
  SocketBuffer buffer_{tap_};
};

TEST_F(SocketBufferTest, ShortOnesGoTogetherAtTheFlush) {
  EXPECT_EQ(send(numbered(48)), 48);
  EXPECT_EQ(send(numbered(4096, 48)), 4096);
  EXPECT_EQ(arrived(), Bytes());
  EXPECT_TRUE(buffer_.has_unsent());
  EXPECT_TRUE(buffer_.flush(fd()));
  EXPECT_EQ(arrived(), numbered(48 + 4096));
  EXPECT_FALSE(buffer_.has_unsent());
}

TEST_F(SocketBufferTest, LongOneTakesAlongWhatWaitedBeforeIt) {
  send(numbered(48));
  EXPECT_EQ(send(numbered(65536, 48)), 65536);
  EXPECT_EQ(arrived(), numbered(48 + 65536));
}

TEST_F(SocketBufferTest, PartsGoInTheirOrder) {
  Bytes first = numbered(40'000);
  Bytes second = numbered(40'000, 40'000);
  const std::array<iovec, 2> parts = {iovec{first.data(), first.size()},
                                      iovec{second.data(), second.size()}};
  EXPECT_EQ(buffer_.send(fd(), parts), 80'000);
  EXPECT_EQ(arrived(), numbered(80'000));
}

/// Sends random lengths over a socket that is always about to be full.
TEST_F(SocketBufferTest, FullSocketLosesAndMixesNothing) {
  const int small = 4096;
  setsockopt(fd(), SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
  std::mt19937 random(1);
  Bytes got;
  std::size_t accepted = 0;
  bool was_full = false;
  while (got.size() < 5'000'000) {
    for (int i = 0; i < 20; ++i) {
      const ssize_t sent = send(numbered(1 + random() % 40'000, accepted));
      if (sent < 0) {
        EXPECT_EQ(errno, EAGAIN);
        was_full = true;
        break;
      }
      accepted += static_cast<std::size_t>(sent);
    }
    EXPECT_TRUE(buffer_.flush(fd()));
    const Bytes more = arrived();
    got.insert(got.end(), more.begin(), more.end());
  }
  for (Bytes more{std::byte{}}; !more.empty() || buffer_.has_unsent();) {
    EXPECT_TRUE(buffer_.flush(fd()));
    more = arrived();
    got.insert(got.end(), more.begin(), more.end());
  }
  EXPECT_TRUE(was_full);
  EXPECT_EQ(got.size(), accepted);
  EXPECT_TRUE(got == numbered(accepted));
}

TEST_F(SocketBufferTest, GoneAndFullPeersDiffer) {
  send(numbered(100));
  peer_closes();
  EXPECT_FALSE(buffer_.flush(fd()));
  EXPECT_EQ(send(numbered(100'000)), -1);
  EXPECT_EQ(errno, EPIPE);
}

TEST_F(SocketBufferTest, WhatIsThereIsReadAtOnce) {
  for (int i = 0; i < 10; ++i) peer_sends(pdu(100));
  Bytes header(48);
  EXPECT_EQ(receive(header), 48);
  EXPECT_EQ(buffer_.received_bytes(), 10 * 148U - 48U);
  for (int i = 0; i < 10; ++i) {
    Bytes payload(100);
    EXPECT_EQ(receive(payload), 100);
    EXPECT_EQ(payload, numbered(100, 48));
    if (i < 9) {
      EXPECT_EQ(receive(header), 48);
    }
  }
  EXPECT_EQ(buffer_.received_bytes(), 0U);
}

TEST_F(SocketBufferTest, DrySocketIsAskedOnceUntilTheNextLook) {
  peer_sends(pdu(0));
  Bytes header(48);
  EXPECT_EQ(receive(header), 48);
  peer_sends(pdu(0));
  EXPECT_EQ(receive(header), -1);
  EXPECT_EQ(errno, EAGAIN);
  buffer_.look_again();
  EXPECT_EQ(receive(header), 48);
}

TEST_F(SocketBufferTest, LongPayloadGoesStraightToItsPlace) {
  const Bytes sent = pdu(100'000);
  peer_sends(sent);
  peer_sends(pdu(0));
  Bytes header(48);
  EXPECT_EQ(receive(header), 48);
  Bytes payload(100'000);
  EXPECT_EQ(receive(payload), 100'000);
  EXPECT_TRUE(payload == Bytes(sent.begin() + 48, sent.end()));
  EXPECT_EQ(buffer_.received_bytes(), 48U) << "the next header came along";
}

TEST_F(SocketBufferTest, EndOfTheStreamIsToldWhenAllElseWas) {
  peer_sends(pdu(8));
  peer_closes();
  Bytes all(48 + 8);
  EXPECT_EQ(receive(all), 56);
  buffer_.look_again();
  EXPECT_EQ(receive(all), 0);
}

TEST_F(SocketBufferTest, StreamMayComeAndBeTakenInAnyPieces) {
  std::mt19937 random(2);
  Bytes stream;
  for (const std::size_t payload : {0U, 5U, 4096U, 70'000U, 0U, 20'000U, 1U, 300'000U, 8U}) {
    const Bytes one = pdu(payload);
    stream.insert(stream.end(), one.begin(), one.end());
  }
  Bytes got;
  for (std::size_t sent = 0; got.size() < stream.size();) {
    const std::size_t piece = std::min<std::size_t>(random() % 50'000, stream.size() - sent);
    peer_sends(Bytes(stream.begin() + static_cast<std::ptrdiff_t>(sent),
                     stream.begin() + static_cast<std::ptrdiff_t>(sent + piece)));
    sent += piece;
    buffer_.look_again();
    for (;;) {
      Bytes first(1 + random() % 100);
      Bytes second(random() % 30'000);
      const std::array<iovec, 2> parts = {iovec{first.data(), first.size()},
                                          iovec{second.data(), second.size()}};
      const ssize_t size = buffer_.receive(fd(), parts);
      if (size < 0) break;
      first.insert(first.end(), second.begin(), second.end());
      got.insert(got.end(), first.begin(), first.begin() + size);
    }
  }
  EXPECT_TRUE(got == stream);
  EXPECT_EQ(tap_.fault(), std::nullopt);
}

TEST_F(SocketBufferTest, BeforeItBeginsNothingIsHeldBackOrTakenAhead) {
  SocketBuffer plain(tap_);
  Bytes bytes = numbered(48);
  const iovec part{bytes.data(), bytes.size()};
  EXPECT_EQ(plain.send(fd(), {&part, 1}), 48);
  EXPECT_EQ(arrived().size(), 48U);
  peer_sends(pdu(0));
  peer_sends(pdu(0));
  EXPECT_EQ(plain.receive(fd(), {&part, 1}), 48);
  EXPECT_EQ(plain.received_bytes(), 0U);
}

TEST_F(SocketBufferTest, ScopeTakesTheThreadsCalls) {
  const Bytes bytes = numbered(10);
  {
    const SocketCalls::Scope scope(buffer_);
    EXPECT_EQ(::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL), 10);
    EXPECT_EQ(arrived(), Bytes());
  }
  EXPECT_EQ(::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL), 10);
  EXPECT_EQ(arrived(), bytes);
  EXPECT_TRUE(buffer_.has_unsent());
}

}  // namespace
}  // namespace lunfs::iscsi

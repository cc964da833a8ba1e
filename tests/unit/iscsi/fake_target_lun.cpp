// The LUN of the fake target: what its commands answer where the test says nothing else.
#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "tests/unit/iscsi/fake_target.h"

namespace lunfs::testing {

FakeTarget::Reply FakeTarget::inquiry(const iscsi::Cdb& cdb) const {
  Reply reply;
  if ((cdb.bytes[1] & 1U) == 0) {
    reply.data.assign(36, std::byte{' '});
    reply.data[0] = std::byte{0};
    return reply;
  }
  const std::uint8_t page = cdb.bytes[2];
  reply.data.assign(64, std::byte{0});
  store_be(reply.data, 1, page);
  store_be<std::uint16_t>(reply.data, 2, 60);
  if (page == 0x00) {
    store_be<std::uint16_t>(reply.data, 2, 3);
    store_be<std::uint8_t>(reply.data, 5, 0xb0);
    store_be<std::uint8_t>(reply.data, 6, 0xb2);
  } else if (page == 0xb0) {
    store_be(reply.data, 5, options_.max_compare_and_write);
    store_be(reply.data, 8, options_.max_transfer_blocks);
    if (options_.thin) store_be<std::uint64_t>(reply.data, 36, 1000);
  } else if (page == 0xb2 && options_.thin) {
    store_be<std::uint8_t>(reply.data, 5, 0xc0);
  }
  return reply;
}

FakeTarget::Reply FakeTarget::capacity() const {
  Reply reply;
  reply.data.assign(32, std::byte{0});
  store_be<std::uint64_t>(reply.data, 0, options_.blocks - 1);
  store_be<std::uint32_t>(reply.data, 8, options_.block_size_bytes);
  if (options_.thin) store_be<std::uint8_t>(reply.data, 14, 0xc0);
  return reply;
}

FakeTarget::Reply FakeTarget::execute(const iscsi::Cdb& cdb, const std::vector<std::byte>& data) {
  const std::lock_guard lock(mutex_);
  const ConstByteSpan bytes = std::as_bytes(std::span(cdb.bytes));
  const std::uint64_t at = load_be<std::uint64_t>(bytes, 2) * options_.block_size_bytes;
  const std::uint64_t length =
      std::uint64_t{load_be<std::uint32_t>(bytes, 10)} * options_.block_size_bytes;
  const auto place = bytes_.begin() + static_cast<std::ptrdiff_t>(at);
  Reply reply;
  switch (cdb.bytes[0]) {
    case 0x00:  // TEST UNIT READY
      return reply;
    case 0x35:  // SYNCHRONIZE CACHE(10)
      durable_ = bytes_;
      return reply;
    case 0x42:  // UNMAP; of a thin LUN: LBPRZ
      if (options_.thin) unmap(data);
      return reply;
    case 0x12:
      return inquiry(cdb);
    case 0x1a: {  // MODE SENSE(6)
      const unsigned flags = (options_.write_protected ? 0x80U : 0U) | (options_.fua ? 0x10U : 0U);
      reply.data.assign(24, std::byte{0});
      reply.data[2] = static_cast<std::byte>(flags);
      reply.data[4] = std::byte{0x08};
      reply.data[6] = options_.write_cache ? std::byte{4} : std::byte{0};
      return reply;
    }
    case 0x9e:
      if (cdb.bytes[1] == 0x10) return capacity();
      break;
    case 0x88:
      reply.data.assign(place, place + static_cast<std::ptrdiff_t>(length));
      return reply;
    case 0x8a:
      std::copy(data.begin(), data.end(), place);
      return reply;
    case 0x93:  // WRITE SAME(16)
      for (std::uint64_t i = 0; i < length; ++i) bytes_[at + i] = data[i % data.size()];
      return reply;
    case 0x89: {  // COMPARE AND WRITE
      const auto half = static_cast<std::ptrdiff_t>(data.size() / 2);
      if (!std::equal(data.begin(), data.begin() + half, place)) {
        return {.status = 2, .sense = sense(0x0e, 0x1d, 0x00), .data = {}};
      }
      std::copy(data.begin() + half, data.end(), place);
      return reply;
    }
    default:
      break;
  }
  return {.status = 2, .sense = sense(0x05, 0x20, 0x00), .data = {}};
}

void FakeTarget::unmap(const std::vector<std::byte>& list) {
  for (std::size_t at = 8; at + 16 <= list.size(); at += 16) {
    const std::uint64_t block = options_.block_size_bytes;
    const auto begin = static_cast<std::ptrdiff_t>(load_be<std::uint64_t>(list, at) * block);
    const auto length = static_cast<std::ptrdiff_t>(load_be<std::uint32_t>(list, at + 8) * block);
    std::fill_n(bytes_.begin() + begin, length, std::byte{0});
  }
}

std::vector<std::byte> FakeTarget::sense(std::uint8_t key, std::uint8_t asc, std::uint8_t ascq) {
  std::vector<std::byte> bytes(18);
  store_be<std::uint8_t>(bytes, 0, 0x70);
  store_be(bytes, 2, key);
  store_be<std::uint8_t>(bytes, 7, 10);
  store_be(bytes, 12, asc);
  store_be(bytes, 13, ascq);
  return bytes;
}

std::size_t FakeTarget::count(std::uint8_t opcode) const {
  const std::lock_guard lock(mutex_);
  return counts_[opcode];
}

std::vector<std::byte> FakeTarget::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void FakeTarget::set_bytes(std::vector<std::byte> bytes) {
  const std::lock_guard lock(mutex_);
  bytes_ = std::move(bytes);
  durable_ = bytes_;
}

void FakeTarget::lose_cache() {
  const std::lock_guard lock(mutex_);
  bytes_ = durable_;
}

void FakeTarget::lose_power() {
  const std::lock_guard lock(mutex_);
  bytes_ = durable_;
  drop_connection();
}

}  // namespace lunfs::testing

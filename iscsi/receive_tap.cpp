#include "iscsi/receive_tap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/bytes.h"

namespace lunfs::iscsi {

namespace {

constexpr unsigned kScsiResponse = 0x21;
constexpr unsigned kDataIn = 0x25;
constexpr std::size_t kResponseCode = 2;  // places in the header
constexpr std::size_t kStatus = 3;
constexpr std::byte kTaskAborted{0x40};

}  // namespace

void ReceiveTap::expect(std::uint32_t tag) {
  if (spare_.empty()) {
    counts_[tag] = 0;
    return;
  }
  Counts::node_type node = std::move(spare_.back());
  spare_.pop_back();
  node.key() = tag;
  node.mapped() = 0;
  counts_.insert(std::move(node));
}

std::uint64_t ReceiveTap::take(std::uint32_t tag) {
  const auto found = counts_.find(tag);
  if (found == counts_.end()) return 0;
  const std::uint64_t count = found->second;
  spare_.push_back(counts_.extract(found));
  return count;
}

void ReceiveTap::received(std::span<std::byte> bytes) {
  active_ = true;
  while (!bytes.empty()) {
    if (payload_left_ == 0) {
      bytes = bytes.subspan(take_header(bytes));
      continue;
    }
    const std::size_t part = std::min(payload_left_, bytes.size());
    const std::size_t data = payload_left_ - std::min(payload_left_, padding_);
    if (part > data)
      std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(data),
                bytes.begin() + static_cast<std::ptrdiff_t>(part), std::byte{0});
    payload_left_ -= part;
    bytes = bytes.subspan(part);
  }
}

std::size_t ReceiveTap::take_header(std::span<std::byte> bytes) {
  const std::size_t part = std::min(kHeaderBytes - header_size_, bytes.size());
  std::copy_n(bytes.begin(), part, header_.begin() + static_cast<std::ptrdiff_t>(header_size_));
  const bool has_status = header_size_ <= kStatus && header_size_ + part > kStatus;
  const bool failed = has_status && header_[kResponseCode] != std::byte{0} &&
                      (std::to_integer<unsigned>(header_[0]) & 0x3fU) == kScsiResponse;
  if (failed) bytes[kStatus - header_size_] = kTaskAborted;
  header_size_ += part;
  if (header_size_ == kHeaderBytes) end_of_header();
  return part;
}

void ReceiveTap::end_of_header() {
  header_size_ = 0;
  const std::size_t length = load_be<std::uint32_t>(header_, 4) & 0xffffffU;
  payload_left_ = (length + 3) / 4 * 4;
  if (payload_left_ != 0) payload_bytes_ = payload_left_;
  padding_ = payload_left_ - length;
  if ((std::to_integer<unsigned>(header_[0]) & 0x3fU) != kDataIn) return;
  const auto found = counts_.find(load_be<std::uint32_t>(header_, 16));
  if (found == counts_.end()) return;
  const auto offset = load_be<std::uint32_t>(header_, 40);
  if (offset == found->second) {
    found->second += length;
  } else if (!fault_) {
    fault_ = fmt::format("data for offset {} came where {} was due", offset, found->second);
  }
}

}  // namespace lunfs::iscsi

#include "iscsi/receive_tap.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/uio.h>

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

/// The tap of the Scope that lives on this thread. A global, because libc's functions have no
/// place for an argument of ours.
thread_local ReceiveTap* current_tap = nullptr;

template <typename Function>
Function* next_definition(const char* name) {
  void* const symbol = dlsym(RTLD_NEXT, name);
  Function* function = nullptr;
  static_assert(sizeof(function) == sizeof(symbol));
  std::memcpy(&function, &symbol, sizeof(function));
  return function;
}

}  // namespace

ReceiveTap::Scope::Scope(ReceiveTap& tap) noexcept { current_tap = &tap; }
ReceiveTap::Scope::~Scope() { current_tap = nullptr; }

std::uint64_t ReceiveTap::take(std::uint32_t tag) noexcept {
  const auto found = counts_.find(tag);
  if (found == counts_.end()) return 0;
  const std::uint64_t count = found->second;
  counts_.erase(found);
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

void ReceiveTap::received_elsewhere(std::size_t size) noexcept {
  payload_left_ -= std::min(payload_left_, size);
}

std::size_t ReceiveTap::take_header(std::span<std::byte> bytes) {
  const std::size_t part = std::min(kHeaderBytes - header_size_, bytes.size());
  for (std::size_t i = 0; i < part; ++i) {
    const std::size_t place = header_size_ + i;
    header_[place] = bytes[i];
    const bool failed = place == kStatus && header_[kResponseCode] != std::byte{0} &&
                        (std::to_integer<unsigned>(header_[0]) & 0x3fU) == kScsiResponse;
    if (failed) bytes[i] = kTaskAborted;
  }
  header_size_ += part;
  if (header_size_ == kHeaderBytes) end_of_header();
  return part;
}

void ReceiveTap::end_of_header() {
  header_size_ = 0;
  const std::size_t length = load_be<std::uint32_t>(header_, 4) & 0xffffffU;
  payload_left_ = (length + 3) / 4 * 4;
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

// Ahead of libc's for the whole program: a shared libiscsi calls these. By asm names, as a
// fortified <sys/socket.h> has definitions of its own.
extern "C" {

ssize_t lunfs_recv(int fd, void* buffer, std::size_t size, int flags) __asm__("recv");
ssize_t lunfs_readv(int fd, const iovec* vectors, int count) __asm__("readv");

ssize_t lunfs_recv(int fd, void* buffer, std::size_t size, int flags) {
  using Recv = ssize_t(int, void*, std::size_t, int);
  static Recv* const next = lunfs::iscsi::next_definition<Recv>("recv");
  const ssize_t received = next(fd, buffer, size, flags);
  if (lunfs::iscsi::current_tap != nullptr && received > 0) {
    lunfs::iscsi::current_tap->received(
        {static_cast<std::byte*>(buffer), static_cast<std::size_t>(received)});
  }
  return received;
}

ssize_t lunfs_readv(int fd, const iovec* vectors, int count) {
  using Readv = ssize_t(int, const iovec*, int);
  static Readv* const next = lunfs::iscsi::next_definition<Readv>("readv");
  const ssize_t received = next(fd, vectors, count);
  if (lunfs::iscsi::current_tap != nullptr && received > 0) {
    lunfs::iscsi::current_tap->received_elsewhere(static_cast<std::size_t>(received));
  }
  return received;
}

}  // extern "C"

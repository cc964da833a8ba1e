#include "base/streaming_copy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace lunfs {
namespace {

constexpr std::size_t kLineBytes = 64;
constexpr std::size_t kAround = 2 * kLineBytes;  // before and behind the copy
constexpr std::byte kUntouched{0xa5};

/// Memory that begins a cache line.
class Lines {
 public:
  explicit Lines(std::size_t size) : lines_((size + kLineBytes - 1) / kLineBytes), size_(size) {}
  [[nodiscard]] std::span<std::byte> bytes() noexcept {
    return std::as_writable_bytes(std::span(lines_)).first(size_);
  }

 private:
  struct alignas(kLineBytes) Line {
    std::array<std::byte, kLineBytes> bytes;
  };
  std::vector<Line> lines_;
  std::size_t size_;
};

void fill(std::span<std::byte> bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 251);
}

/// Copies `length` bytes from `from_shift` to `to_shift` bytes behind the start of a cache line.
void expect_copied_alone(std::size_t length, std::size_t from_shift, std::size_t to_shift) {
  Lines source(from_shift + length);
  fill(source.bytes());
  const std::span<const std::byte> from = source.bytes().subspan(from_shift);
  Lines target(kAround + to_shift + length + kAround);
  std::fill(target.bytes().begin(), target.bytes().end(), kUntouched);
  std::vector<std::byte> expected(target.bytes().begin(), target.bytes().end());
  std::copy(from.begin(), from.end(),
            expected.begin() + static_cast<std::ptrdiff_t>(kAround + to_shift));

  streaming_copy(from, target.bytes().subspan(kAround + to_shift).data());

  ASSERT_TRUE(std::equal(expected.begin(), expected.end(), target.bytes().begin()))
      << length << " bytes, " << from_shift << " to " << to_shift << " behind a line";
}

TEST(StreamingCopy, EveryLengthAndAlignmentIsCopiedAndNothingBeside) {
  for (std::size_t length = 0; length <= 200; ++length) {
    for (std::size_t shift = 0; shift < kLineBytes; ++shift) {
      for (const std::size_t from_shift :
           {std::size_t{0}, std::size_t{1}, std::size_t{48}, shift}) {
        expect_copied_alone(length, from_shift, shift);
      }
    }
  }
}

TEST(StreamingCopy, LongCopyIsWhole) {
  expect_copied_alone(std::size_t{1} << 20U, 0, 0);
  expect_copied_alone((std::size_t{1} << 20U) + 17, 16, 5);
}

TEST(StreamingCopy, OfNothingNeedsNoPlace) { streaming_copy({}, nullptr); }

}  // namespace
}  // namespace lunfs

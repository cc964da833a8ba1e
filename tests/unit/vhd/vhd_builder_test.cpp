// The builder that the tests of VHD reading stand on, against images made by a host's own tools:
// every byte of them.

#include "tests/support/vhd_builder.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/unpack.h"

namespace lunfs::testing {
namespace {

constexpr std::uint32_t kMostBlocks = 1U << 20U;  // as hosts lay out every table

std::vector<std::byte> sample(const std::string& name) {
  return unpack(LUNFS_TEST_DATA "/xenserver/vhd-sample-" + name + ".img.xz");
}

/// The two things of a sample that were random.
VhdShape shape_of(ConstByteSpan image) {
  VhdShape shape;
  std::array<std::uint8_t, 16> uuid{};
  std::transform(image.begin() + 68, image.begin() + 84, uuid.begin(),
                 [](std::byte byte) { return std::to_integer<std::uint8_t>(byte); });
  shape.uuid = Uuid(uuid);
  shape.timestamp = load_be<std::uint32_t>(image, 24);
  shape.size_bytes = 1ULL << 30U;
  shape.bat_entries = kMostBlocks;
  shape.stale = std::byte{0};
  return shape;
}

std::vector<std::byte> sectors(std::uint64_t count, char letter) {
  return std::vector<std::byte>(count * kVhdSector, static_cast<std::byte>(letter));
}

/// First byte that differs; a whole image as a failure's text helps nobody.
std::optional<std::size_t> difference(ConstByteSpan a, ConstByteSpan b) {
  if (a.size() != b.size()) return std::min(a.size(), b.size());
  const auto place = std::mismatch(a.begin(), a.end(), b.begin());
  if (place.first == a.end()) return std::nullopt;
  return static_cast<std::size_t>(place.first - a.begin());
}

TEST(VhdBuilder, WritesTheDynamicSample) {
  const std::vector<std::byte> expected = sample("parent");
  VhdShape shape = shape_of(expected);
  shape.hidden = true;
  VhdBuilder builder(shape);
  builder.store(5, sectors(3, 'X'));
  builder.store(8192, sectors(1, 'Y'));
  builder.store(4096, sectors(4096, 'F'));
  EXPECT_EQ(difference(builder.image(expected.size()), expected), std::nullopt);
}

TEST(VhdBuilder, WritesTheDifferencingSample) {
  const std::vector<std::byte> expected = sample("child");
  VhdShape shape = shape_of(expected);
  shape.parent = {.uuid = shape_of(sample("parent")).uuid,
                  .vg_name = "VG_XenStorage-7f3c2a10-5b1e-4d6a-9c1f-0123456789ab",
                  .lv_name = "VHD-11111111-aaaa-4aaa-8aaa-111111111111"};
  VhdBuilder builder(shape);
  builder.store(6, sectors(1, 'C'));
  EXPECT_EQ(difference(builder.image(expected.size()), expected), std::nullopt);
}

TEST(VhdBuilder, WritesTheSampleOnARawParent) {
  const std::vector<std::byte> expected = sample("rawchild");
  VhdShape shape = shape_of(expected);
  shape.size_bytes = load_be<std::uint64_t>(expected, 48);
  shape.parent = {.uuid = Uuid(),
                  .vg_name = "VG_XenStorage-7f3c2a10-5b1e-4d6a-9c1f-0123456789ab",
                  .lv_name = "LV-44444444-dddd-4ddd-8ddd-444444444444"};
  EXPECT_EQ(difference(VhdBuilder(shape).image(expected.size()), expected), std::nullopt);
}

TEST(VhdBuilder, TheSmallestLvHoldsTheImageAndNotLess) {
  VhdShape shape;
  shape.size_bytes = 64U << 10U;
  shape.block_bytes = 4096;
  VhdBuilder builder(shape);
  builder.store(1, sectors(20, 'A'));
  EXPECT_NO_THROW(static_cast<void>(builder.image(builder.smallest_lv_bytes())));
  EXPECT_THROW(static_cast<void>(builder.image(builder.smallest_lv_bytes() - 2 * kVhdSector)),
               std::logic_error);
}

}  // namespace
}  // namespace lunfs::testing

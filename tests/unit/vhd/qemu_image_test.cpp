#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/support/temp_dir.h"
#include "tests/unit/vhd/vhd_bytes.h"
#include "volume/vhd/bat.h"
#include "volume/vhd/batmap.h"
#include "volume/vhd/dynamic_header.h"
#include "volume/vhd/footer.h"
#include "volume/vhd/sector_runs.h"

/// Images made by qemu-img, whose word on their size and content is another's than ours.
namespace lunfs::vhd {
namespace {

using testing::Bytes;

/// The command's output; throws if it fails.
std::string run(const std::string& command) {
  std::string output;
  FILE* const pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error(command);
  for (int c = 0; (c = std::fgetc(pipe)) != EOF;) output.push_back(static_cast<char>(c));
  if (pclose(pipe) != 0) throw std::runtime_error(command + ": " + output);
  return output;
}

struct Made {
  const char* name;
  const char* options;
  const char* size;
};

class QemuImage : public ::testing::TestWithParam<Made> {
 protected:
  QemuImage() {
    run(std::string("qemu-img create -f vpc -o ") + GetParam().options + " " + path_ + " " +
        GetParam().size);
  }

  [[nodiscard]] std::uint64_t virtual_size() const {
    const auto info = nlohmann::json::parse(run("qemu-img info -f vpc --output=json " + path_));
    return info.at("virtual-size").get<std::uint64_t>();
  }

  [[nodiscard]] Bytes content() const {
    std::ifstream file(path_, std::ios::binary);
    return testing::text(std::string{std::istreambuf_iterator<char>(file), {}});
  }

  lunfs::testing::TempDir folder_;
  std::string path_ = folder_.file("image.vhd");
};

FooterChoice choose(const Bytes& image) {
  const ConstByteSpan bytes(image);
  return choose_footer(bytes.first(512), bytes.last(512)).value();
}

class QemuDynamic : public QemuImage {};

TEST_P(QemuDynamic, SizeIsWhatQemuSays) {
  const Bytes image = content();
  const FooterChoice choice = choose(image);
  EXPECT_EQ(choice.footer.type, DiskType::kDynamic);
  EXPECT_EQ(choice.footer.size_bytes, virtual_size());
  EXPECT_TRUE(choice.at_end);
  EXPECT_FALSE(choice.copies_differ);
}

TEST_P(QemuDynamic, HasNoBatmap) {
  const Bytes image = content();
  const Footer footer = choose(image).footer;
  const DynamicHeader header =
      parse_dynamic_header(ConstByteSpan(image).subspan(footer.header_offset));
  EXPECT_FALSE(batmap_header_offset(footer, header).has_value());
}

TEST_P(QemuDynamic, WrittenBytesAreWhereTheTableSays) {
  // The last 64 KiB and, in the second block, some more.
  const std::uint64_t size = virtual_size();
  const std::uint64_t last = (size - 65536) / 512 * 512;
  run("qemu-io -f vpc -c 'write -P 0x5a 3M 64k' -c 'write -P 0xa5 " + std::to_string(last) +
      " 64k' " + path_);
  const Bytes image = content();
  const ConstByteSpan bytes(image);
  const Footer footer = choose(image).footer;
  const DynamicHeader header = parse_dynamic_header(bytes.subspan(footer.header_offset));
  const Layout layout = make_layout(footer, header, image.size(), 0, true);
  const Bat bat(layout, 0, bytes.subspan(layout.bat_offset, 4 * layout.block_count));

  const auto byte_at = [&](std::uint64_t offset) {
    const Bat::Place place = bat.locate(offset / layout.block_bytes);
    const std::uint64_t within = offset % layout.block_bytes;
    if (!place.allocated) return -1;
    const auto runs = sector_runs(bytes.subspan(place.bitmap_offset, 512), within, 1);
    if (!runs.front().stored) return -2;
    return std::to_integer<int>(bytes[place.data_offset + within]);
  };
  EXPECT_EQ(byte_at(0), -1);
  EXPECT_EQ(byte_at(3U << 20U), 0x5A);
  EXPECT_EQ(byte_at((3U << 20U) + 65535), 0x5A);
  EXPECT_EQ(byte_at(last), 0xA5);
  EXPECT_EQ(byte_at(last + 65535), 0xA5);
  std::vector<std::uint32_t> allocated;
  for (const std::uint32_t sector : bat.sectors()) {
    if (sector != kNotAllocated) allocated.push_back(sector);
  }
  EXPECT_NO_THROW(check_overlaps(layout, allocated));
}

INSTANTIATE_TEST_SUITE_P(Table, QemuDynamic,
                         ::testing::Values(Made{"Usual", "subformat=dynamic", "100M"},
                                           Made{"ForcedSize", "force_size=on", "100M"},
                                           Made{"OddSize", "force_size=on", "20000256"},
                                           Made{"Large", "force_size=on", "1T"},
                                           Made{"Largest", "force_size=on", "2040G"}),
                         [](const auto& test) { return std::string(test.param.name); });

class QemuFixed : public QemuImage {};

TEST_P(QemuFixed, SizeIsWhatQemuSays) {
  const Bytes image = content();
  const FooterChoice choice = choose(image);
  EXPECT_EQ(choice.footer.type, DiskType::kFixed);
  EXPECT_EQ(choice.footer.size_bytes, virtual_size());
  EXPECT_TRUE(choice.at_end);
}

TEST_P(QemuFixed, FooterIsFoundInALargerLv) {
  Bytes lv = content();
  const std::uint64_t size = lv.size() - 512;
  lv.resize(lv.size() + 65536, std::byte{0xEE});
  EXPECT_EQ(find_fixed_footer(lv, 0).value().size_bytes, size);
}

INSTANTIATE_TEST_SUITE_P(Table, QemuFixed,
                         ::testing::Values(Made{"Usual", "subformat=fixed", "4M"},
                                           Made{"ForcedSize", "subformat=fixed,force_size=on",
                                                "4M"}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace lunfs::vhd

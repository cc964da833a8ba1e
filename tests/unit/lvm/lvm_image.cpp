#include "tests/unit/lvm/lvm_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "base/bytes.h"
#include "base/run.h"
#include "tests/support/memory_device.h"
#include "tests/support/unpack.h"
#include "volume/lvm/crc.h"
#include "volume/lvm/vg_reader.h"

namespace lunfs::lvm::testing {

namespace {

void put_string(Bytes& image, std::uint64_t offset, std::string_view text) {
  std::memcpy(&image.at(offset), text.data(), text.size());
}

void put_slot(Bytes& image, std::uint64_t offset, const Slot& slot) {
  store_le(ByteSpan(image), offset, slot.offset);
  store_le(ByteSpan(image), offset + 8, slot.size);
  store_le(ByteSpan(image), offset + 16, slot.crc);
  store_le(ByteSpan(image), offset + 20, slot.flags);
}

std::string data_path(std::string_view name) { return fmt::format("{}/{}", LUNFS_TEST_DATA, name); }

}  // namespace

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string result(text);
  const std::size_t place = result.find(from);
  if (place == std::string::npos) throw std::logic_error(fmt::format("no \"{}\" there", from));
  return result.replace(place, from.size(), to);
}

std::string segment(int number, std::uint64_t start, std::uint64_t extents, std::string_view rest) {
  return fmt::format("segment{} {{\nstart_extent = {}\nextent_count = {}\n\n{}\n}}\n", number,
                     start, extents, rest);
}

std::string linear(int number, std::uint64_t start, std::uint64_t extents, std::uint64_t pe) {
  return segment(
      number, start, extents,
      fmt::format("type = \"striped\"\nstripe_count = 1\n\nstripes = [\n\"pv0\", {}\n]", pe));
}

std::string lv(std::string_view name, int segment_count, std::string_view segments) {
  std::string uuid(name);
  std::erase_if(uuid, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
  uuid.resize(32, '0');
  return fmt::format(
      "\n{} {{\nid = \"{}\"\nstatus = [\"READ\", \"WRITE\", \"VISIBLE\"]\nflags = []\n"
      "creation_time = 1700000000\ncreation_host = \"h\"\nsegment_count = {}\n\n{}}}\n",
      name, uuid, segment_count, segments);
}

std::string vg_text(std::string_view lvs) {
  return fmt::format(
      "vg0 {{\nid = \"vgvgvg-0000-0000-0000-0000-0000-000000\"\nseqno = 7\nformat = \"lvm2\"\n"
      "status = [\"RESIZEABLE\", \"READ\", \"WRITE\"]\nflags = []\nextent_size = {}\nmax_lv = 0\n"
      "max_pv = 0\nmetadata_copies = 0\n\nphysical_volumes {{\n\npv0 {{\nid = \"{}\"\n"
      "device = \"/dev/sdx\"\n\nstatus = [\"ALLOCATABLE\"]\nflags = []\ndev_size = {}\n"
      "pe_start = {}\npe_count = {}\n}}\n}}\n\n{}\n}}\n# made by hand\n\n"
      "contents = \"Text Format Volume Group\"\nversion = 1\n\ndescription = \"\"\n",
      kExtentBytes / 512, kPvUuid, kLunBytes / 512, kPeStart / 512, kPeCount,
      lvs.empty() ? std::string() : fmt::format("logical_volumes {{\n{}}}", lvs));
}

std::string usual_text() {
  return vg_text(lv("a", 2, linear(1, 0, 4, 0) + linear(2, 4, 2, 10)) +
                 lv("b", 1, linear(1, 0, 4, 4)));
}

VolumeGroup parsed(std::string_view text) {
  const PvFacts facts{LvmUuid::parse(kPvUuid).value(), kLunBytes, {{0, kLabelScanBytes}, kArea}};
  return to_volume_group(TextTree::parse(text), facts);
}

void put_label(Bytes& image, const std::vector<DiskArea>& metadata_areas) {
  const ByteSpan bytes(image);
  put_string(image, 512, "LABELONE");
  store_le<std::uint64_t>(bytes, 520, 1);
  store_le<std::uint32_t>(bytes, 532, 32);
  put_string(image, 536, "LVM2 001");
  put_string(image, 544, kPvUuidChars);
  store_le<std::uint64_t>(bytes, 576, image.size());
  store_le<std::uint64_t>(bytes, 584, kPeStart);
  std::uint64_t place = 616;
  for (const DiskArea& area : metadata_areas) {
    store_le(bytes, place, area.offset);
    store_le(bytes, place + 8, area.size);
    place += 16;
  }
  store_le<std::uint32_t>(bytes, place + 16, 2);
  store_le<std::uint32_t>(bytes, place + 20, 1);
  fix_label(image);
}

void fix_label(Bytes& image, std::uint64_t sector) {
  const std::uint64_t start = sector * 512;
  store_le(ByteSpan(image), start + 16, crc(ConstByteSpan(image).subspan(start + 20, 492)));
}

void put_header(Bytes& image, const DiskArea& area, const Slot& committed, const Slot& next) {
  const ByteSpan bytes(image);
  put_string(image, area.offset + 4, " LVM2 x[5A%r0N*>");
  store_le<std::uint32_t>(bytes, area.offset + 20, 1);
  store_le(bytes, area.offset + 24, area.offset);
  store_le(bytes, area.offset + 32, area.size);
  put_slot(image, area.offset + 40, committed);
  put_slot(image, area.offset + 64, next);
  fix_header(image, area.offset);
}

void fix_header(Bytes& image, std::uint64_t start) {
  store_le(ByteSpan(image), start, crc(ConstByteSpan(image).subspan(start + 4, 508)));
}

void put_text(Bytes& image, const DiskArea& area, std::string_view text, std::uint64_t offset) {
  std::string whole(text);
  whole += '\0';
  const std::uint64_t first = std::min<std::uint64_t>(whole.size(), area.size - offset);
  put_string(image, area.offset + offset, std::string_view(whole).substr(0, first));
  if (first < whole.size()) {
    put_string(image, area.offset + 512, std::string_view(whole).substr(first));
  }
  put_header(image, area, {offset, whole.size(), crc(as_byte_span(whole)), 0});
}

Bytes usual_image(std::string_view text) {
  Bytes image(kLunBytes);
  put_label(image, {kArea});
  put_text(image, kArea, text);
  return image;
}

std::shared_ptr<const VolumeGroup> read_vg(BlockDevice& device) {
  Reactor reactor;
  RequestContext context = RequestContext::within(std::chrono::seconds(60));
  return run_until_done(reactor, read_volume_group(context, device, reactor));
}

std::shared_ptr<const VolumeGroup> read_vg(Bytes image) {
  lunfs::testing::MemoryDevice device(std::move(image));
  return read_vg(device);
}

Bytes golden(std::string_view name) {
  return lunfs::testing::unpack(data_path(fmt::format("{}.img.xz", name)));
}

std::string golden_file(std::string_view name) {
  std::ifstream file(data_path(name), std::ios::binary);
  if (!file) throw std::runtime_error(fmt::format("cannot open {}", data_path(name)));
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace lunfs::lvm::testing

#include "tests/unit/sr/sr_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "base/bytes.h"
#include "volume/lvm/crc.h"

namespace lunfs::sr::testing {

namespace {

constexpr std::uint64_t kSector = 512;
constexpr std::uint64_t kAreaAt = 4096;
constexpr std::uint64_t kPeStart = 1U << 20U;
constexpr std::uint64_t kAreaBytes = kPeStart - kAreaAt;
constexpr std::uint64_t kPeCount = 64;
constexpr std::uint64_t kTextAt = 512;  // in the area
constexpr std::string_view kPvUuid = "EinYcpk5W8fBQVFCX6IpmU7om5YMJsAi";
constexpr std::string_view kPvId = "EinYcp-k5W8-fBQV-FCX6-IpmU-7om5-YMJsAi";
constexpr std::string_view kVgId = "WJL5QQ-nPKQ-i6sG-5FYu-B62C-L1sl-wghhhJ";

std::string quoted(const std::vector<std::string>& words) {
  std::string result;
  for (const std::string& word : words) {
    result += fmt::format("{}\"{}\"", result.empty() ? "" : ", ", word);
  }
  return result;
}

}  // namespace

SrImage::SrImage(std::string vg_name, std::vector<Lv> lvs)
    : vg_name_(std::move(vg_name)),
      lvs_(std::move(lvs)),
      device_(kPeStart + kPeCount * kExtentBytes) {
  write_label();
  write_area(text());
}

void SrImage::commit(std::vector<Lv> lvs) {
  lvs_ = std::move(lvs);
  ++seqno_;
  write_area(text());
}

std::uint64_t SrImage::offset_of(std::string_view lv_name) const {
  const auto found =
      std::find_if(lvs_.begin(), lvs_.end(), [&](const Lv& lv) { return lv.name == lv_name; });
  if (found == lvs_.end()) throw std::out_of_range(std::string(lv_name));
  return kPeStart + static_cast<std::uint64_t>(found - lvs_.begin()) * kExtentBytes;
}

void SrImage::put(std::string_view lv_name, std::uint64_t offset, std::string_view content) {
  store(offset_of(lv_name) + offset, content);
}

void SrImage::store(std::uint64_t offset, std::string_view content) {
  const ConstByteSpan bytes = as_byte_span(content);
  std::copy(bytes.begin(), bytes.end(),
            device_.bytes().begin() + static_cast<std::ptrdiff_t>(offset));
}

void SrImage::write_label() {
  store(kSector, "LABELONE");
  const ByteSpan label = ByteSpan(device_.bytes()).subspan(kSector, kSector);
  store_le<std::uint64_t>(label, 8, 1);
  store_le<std::uint32_t>(label, 20, 32);
  store(kSector + 24, "LVM2 001");
  store(kSector + 32, kPvUuid);
  store_le<std::uint64_t>(label, 64, device_.bytes().size());
  store_le<std::uint64_t>(label, 72, kPeStart);
  // data areas end at 88 with zeros; the metadata areas follow
  store_le<std::uint64_t>(label, 104, kAreaAt);
  store_le<std::uint64_t>(label, 112, kAreaBytes);
  store_le<std::uint32_t>(label, 16, lvm::crc(ConstByteSpan(label).subspan(20)));
}

void SrImage::write_area(std::string_view content) {
  const std::string with_nul = std::string(content) + '\0';
  store(kAreaAt + kTextAt, with_nul);
  const ByteSpan header = ByteSpan(device_.bytes()).subspan(kAreaAt, kSector);
  store(kAreaAt + 4, " LVM2 x[5A%r0N*>");
  store_le<std::uint32_t>(header, 20, 1);
  store_le<std::uint64_t>(header, 24, kAreaAt);
  store_le<std::uint64_t>(header, 32, kAreaBytes);
  store_le<std::uint64_t>(header, 40, kTextAt);
  store_le<std::uint64_t>(header, 48, with_nul.size());
  store_le<std::uint32_t>(header, 56, lvm::crc(as_byte_span(with_nul)));
  store_le<std::uint32_t>(header, 0, lvm::crc(ConstByteSpan(header).subspan(4)));
}

std::string SrImage::text() const {
  std::string lvs;
  for (std::size_t i = 0; i < lvs_.size(); ++i) {
    lvs += fmt::format(
        "{} {{\nid = \"OT8yGU-4UZD-K2h7-xu59-8Cf7-Ydq9-TvX{:03}\"\n"
        "status = [\"READ\", \"WRITE\", \"VISIBLE\"]\nflags = []\n{}segment_count = 1\n"
        "segment1 {{\nstart_extent = 0\nextent_count = 1\ntype = \"striped\"\n"
        "stripe_count = 1\nstripes = [\n\"pv0\", {}\n]\n}}\n}}\n",
        lvs_[i].name, i,
        lvs_[i].tags.empty() ? "" : fmt::format("tags = [{}]\n", quoted(lvs_[i].tags)), i);
  }
  return fmt::format(
      "{} {{\nid = \"{}\"\nseqno = {}\nformat = \"lvm2\"\n"
      "status = [\"RESIZEABLE\", \"READ\", \"WRITE\"]\nflags = []\nextent_size = {}\n"
      "max_lv = 0\nmax_pv = 0\nmetadata_copies = 0\n"
      "physical_volumes {{\npv0 {{\nid = \"{}\"\ndevice = \"/dev/sda\"\n"
      "status = [\"ALLOCATABLE\"]\nflags = []\ndev_size = {}\npe_start = {}\npe_count = "
      "{}\n}}\n}}\n"
      "logical_volumes {{\n{}}}\n}}\ncontents = \"Text Format Volume Group\"\nversion = 1\n",
      vg_name_, kVgId, seqno_, kExtentBytes / kSector, kPvId, device_.bytes().size() / kSector,
      kPeStart / kSector, kPeCount, lvs);
}

}  // namespace lunfs::sr::testing

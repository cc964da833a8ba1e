#include "tests/support/scattered_vg.h"

#include <algorithm>
#include <random>
#include <stdexcept>
#include <utility>

#include "volume/lvm/lv_device.h"

namespace lunfs::testing {

namespace {

constexpr std::uint64_t kPeStartBytes = 64U << 10U;

/// A run of extents of one LV, before it has a place.
struct Run {
  std::size_t volume = 0;
  std::size_t segment = 0;
};

/// Cuts an LV into segments whose places are not known yet.
std::vector<lvm::Segment> cut(std::uint32_t extents, std::minstd_rand& random) {
  std::vector<lvm::Segment> segments;
  for (std::uint32_t start = 0; start < extents;) {
    const auto most = std::max<std::uint32_t>(1, extents / 3);
    const auto count = std::min(extents - start, 1 + static_cast<std::uint32_t>(random() % most));
    segments.push_back({.start_le = start,
                        .extent_count = count,
                        .stripe_size_sectors = 0,
                        .stripes = {{.first_pe = 0}}});
    start += count;
  }
  return segments;
}

}  // namespace

ScatteredVg::ScatteredVg(Reactor& reactor, std::uint32_t seed, const std::vector<Content>& volumes)
    : vg_(std::make_shared<lvm::VolumeGroup>()),
      memory_(std::make_unique<MemoryDevice>(0, seed % 3 == 0 ? 4096 : 512)),
      faults_(reactor, *memory_) {
  std::minstd_rand random(seed + 1);
  std::vector<std::vector<lvm::Segment>> segments;
  std::vector<Run> runs;
  for (const Content& volume : volumes) {
    segments.push_back(cut(static_cast<std::uint32_t>(volume.bytes.size() / kExtentBytes), random));
    for (std::size_t i = 0; i < segments.back().size(); ++i) {
      runs.push_back({.volume = segments.size() - 1, .segment = i});
    }
  }
  std::shuffle(runs.begin(), runs.end(), random);
  std::uint32_t next_pe = 0;
  for (const Run& run : runs) {
    next_pe += static_cast<std::uint32_t>(random() % 4 == 0);  // a hole
    lvm::Segment& segment = segments[run.volume][run.segment];
    segment.stripes[0].first_pe = next_pe;
    next_pe += segment.extent_count;
  }

  vg_->name = kName;
  vg_->extent_bytes = kExtentBytes;
  vg_->extent_count = next_pe;
  vg_->pe_start_bytes = kPeStartBytes;
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    lvm::LogicalVolume lv;
    lv.name = volumes[i].name;
    lv.map = std::make_shared<lvm::SegmentMap>(kPeStartBytes, kExtentBytes, segments[i]);
    lv.size_bytes = lv.map->size_bytes();
    if (lv.size_bytes != volumes[i].bytes.size()) throw std::logic_error("not whole extents");
    vg_->volumes.push_back(std::move(lv));
  }
  memory_->bytes().resize(kPeStartBytes + next_pe * kExtentBytes, std::byte{0xDE});
  Geometry geometry = memory_->geometry();
  geometry.size_bytes = memory_->bytes().size();
  memory_->set_geometry(geometry);
  memory_->suspend_through(reactor, seed + 2);
  bytes_ = std::make_unique<UnalignedDevice>(reactor, faults_);
  for (const Content& volume : volumes) put(volume.name, 0, volume.bytes);
}

const lvm::LogicalVolume& ScatteredVg::find(std::string_view lv) const {
  const lvm::LogicalVolume* found = vg_->find(lv);
  if (found == nullptr) throw std::logic_error("there is no such LV");
  return *found;
}

std::unique_ptr<BlockDevice> ScatteredVg::open(std::string_view lv) const {
  return std::make_unique<lvm::LvDevice>(*bytes_, vg_, find(lv), true);
}

void ScatteredVg::put(std::string_view lv, std::uint64_t offset, ConstIoSpan bytes) {
  for (const lvm::Piece& piece : find(lv).map->locate(offset, bytes.size())) {
    const ConstIoSpan part = bytes.subspan(piece.lv_offset - offset, piece.length);
    std::copy(part.begin(), part.end(),
              memory_->bytes().begin() + static_cast<std::ptrdiff_t>(piece.lun_offset));
  }
}

FaultDevice::Matcher ScatteredVg::touching(std::string_view lv, std::uint64_t offset,
                                           std::uint64_t length) const {
  return [pieces = find(lv).map->locate(offset, length)](const Request& request) {
    return std::any_of(pieces.begin(), pieces.end(), [&](const lvm::Piece& piece) {
      return request.offset < piece.lun_offset + piece.length &&
             piece.lun_offset < request.offset + request.length;
    });
  };
}

FaultDevice::Matcher ScatteredVg::touching(std::string_view lv) const {
  return touching(lv, 0, find(lv).size_bytes);
}

}  // namespace lunfs::testing

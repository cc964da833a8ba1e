#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "volume/lvm/crc.h"
#include "volume/lvm/label.h"

namespace {

using lunfs::lvm::kLabelScanBytes;
using lunfs::lvm::kSectorBytes;

void parse(const std::vector<std::byte>& sectors) {
  try {
    const lunfs::lvm::PvLabel label = lunfs::lvm::parse_label(sectors);
    if (label.sector > 3) __builtin_trap();
    for (const auto& area : label.metadata_areas) {
      if (area.offset == 0) __builtin_trap();
    }
  } catch (const lunfs::Error& error) {
    if (error.message().empty()) __builtin_trap();
  }
}

}  // namespace

/// Any bytes as the first sectors of a PV, as they are and with every label's CRC made right, so
/// that what lies behind the CRC is reached as well.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::byte> sectors(kLabelScanBytes);
  const auto input = std::as_bytes(std::span(data, std::min<std::size_t>(size, sectors.size())));
  std::copy(input.begin(), input.end(), sectors.begin());
  parse(sectors);
  for (std::uint64_t start = 0; start < kLabelScanBytes; start += kSectorBytes) {
    const auto sector = lunfs::ConstByteSpan(sectors).subspan(start, kSectorBytes);
    lunfs::store_le(lunfs::ByteSpan(sectors), start + 16, lunfs::lvm::crc(sector.subspan(20)));
  }
  parse(sectors);
  return 0;
}

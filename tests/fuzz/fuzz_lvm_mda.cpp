#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "volume/lvm/crc.h"
#include "volume/lvm/metadata_area.h"

namespace {

using lunfs::lvm::AreaHeader;
using lunfs::lvm::DiskArea;
using lunfs::lvm::kAreaHeaderBytes;

constexpr std::uint64_t kAreaAt = 4096;

/// The LUN is as long as the input reaches; a run of the text outside of it is a bug.
void parse(const std::vector<std::byte>& area_bytes) {
  const std::uint64_t lun_bytes = kAreaAt + area_bytes.size();
  try {
    const AreaHeader header =
        lunfs::lvm::parse_area_header(lunfs::ConstByteSpan(area_bytes).first(kAreaHeaderBytes),
                                      {kAreaAt, area_bytes.size()}, lun_bytes);
    if (!header.committed) return;
    std::vector<std::byte> text;
    for (const DiskArea& run : lunfs::lvm::text_runs(header)) {
      if (run.offset < kAreaAt + kAreaHeaderBytes) __builtin_trap();
      const auto part = lunfs::ConstByteSpan(area_bytes).subspan(run.offset - kAreaAt);
      if (run.size == 0 || run.size > part.size()) __builtin_trap();
      text.insert(text.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(run.size));
    }
    if (text.size() != header.committed->size) __builtin_trap();
    static_cast<void>(lunfs::lvm::checked_text(text, *header.committed));
  } catch (const lunfs::Error& error) {
    if (error.message().empty()) __builtin_trap();
  }
}

}  // namespace

/// Any bytes as a metadata area at byte 4096, as they are and with the header's CRC made right.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::byte> area(std::max<std::size_t>(size, kAreaHeaderBytes));
  const auto input = std::as_bytes(std::span(data, size));
  std::copy(input.begin(), input.end(), area.begin());
  parse(area);
  const auto summed = lunfs::ConstByteSpan(area).subspan(4, kAreaHeaderBytes - 4);
  lunfs::store_le(lunfs::ByteSpan(area), 0, lunfs::lvm::crc(summed));
  parse(area);
  return 0;
}

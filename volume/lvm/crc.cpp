#include "volume/lvm/crc.h"

#include <zlib.h>

namespace lunfs::lvm {

std::uint32_t crc(ConstByteSpan bytes, std::uint32_t start) noexcept {
  // zlib inverts what goes in and what comes out; LVM does neither, so both are undone.
  const auto* data = reinterpret_cast<const Bytef*>(bytes.data());
  return ~static_cast<std::uint32_t>(::crc32_z(~start & 0xffffffffU, data, bytes.size()));
}

}  // namespace lunfs::lvm

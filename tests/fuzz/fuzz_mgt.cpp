#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "volume/sr/mgt.h"

/// Any bytes as an MGT volume: an answer or an Error, and nothing that leaves its bounds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    const lunfs::sr::Mgt mgt = lunfs::sr::parse_mgt(bytes);
    for (const lunfs::sr::VdiRecord& record : mgt.vdis) {
      // Slots beyond the input would be read from memory that is not the volume's.
      if (record.offset + lunfs::sr::kMgtSlotBytes > size) __builtin_trap();
      if (mgt.find(record.uuid) != &record) __builtin_trap();  // a uuid that is there twice
    }
  } catch (const lunfs::Error& error) {
    if (error.message().empty()) __builtin_trap();
  }
  return 0;
}

#pragma once

#include <cstdint>
#include <string>

#include "base/block_device.h"

namespace lunfs::iscsi {

/// What a LUN says of itself (INQUIRY and its VPD pages, READ CAPACITY).
struct LunIdentity {
  std::string vendor;      ///< INQUIRY, padding cut
  std::string product;     ///< INQUIRY
  std::string serial;      ///< VPD 0x80; empty if there is none
  std::string designator;  ///< VPD 0x83, the best of the LUN's names, as hex or text; may be empty
  std::string scsi_id;     ///< XenServer's SCSIid, see scsi_id(); may be empty
  std::uint64_t size_bytes = 0;
  std::uint32_t block_size_bytes = 0;

  bool operator==(const LunIdentity&) const = default;
};

/// What a LUN is and can, as far as lunfs uses it. Counts in logical blocks; 0 = no limit told.
struct LunFeatures {
  LunIdentity identity;
  Geometry geometry;  ///< of the block-aligned device
  bool thin = false;  ///< LBPME: blocks may be unmapped
  bool write_protected = false;
  bool write_cache = true;
  bool fua = false;
  bool unmap = false;
  std::uint32_t max_unmap_blocks = 0;
  std::uint32_t max_unmap_runs = 0;
  bool write_same = false;
  bool write_same_unmap = false;  ///< and the range reads as zeros for certain
  std::uint64_t max_write_same = 0;
  std::uint32_t max_compare_and_write = 0;  ///< 0 = not supported
  bool lba_status = false;                  ///< a deallocated block reads as zeros for certain
};

}  // namespace lunfs::iscsi

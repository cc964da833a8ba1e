#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/block_device.h"
#include "base/bytes.h"

/// What the target tells about a LUN, taken from untrusted bytes. Every function reads inside
/// `bytes` only and throws kCorrupt if what must be there is cut off. Source: SPC-4 §6 and §7,
/// SBC-3 §5 and §6.
namespace lunfs::iscsi {

struct InquiryData {
  std::uint8_t qualifier = 0;    ///< 0 = the LUN is there, 3 = there is none of that number
  std::uint8_t device_type = 0;  ///< 0 = disk
  std::string vendor;            ///< padding and control characters cut
  std::string product;
};
InquiryData parse_inquiry(ConstByteSpan bytes);

/// "disk", "storage array controller", ...
std::string device_type_name(std::uint8_t device_type);

/// The payload of a VPD page, checked to be `page`; what the page says it has beyond `bytes` is
/// missing from the result.
ConstByteSpan parse_vpd(ConstByteSpan bytes, std::uint8_t page);

/// VPD 0x80: the serial number, trimmed.
std::string parse_serial(ConstByteSpan payload);

/// VPD 0x83: the best name of the LUN itself: NAA, else EUI-64, else SCSI name string, else T10
/// vendor id; binary ones as hex. Empty if there is none.
std::string parse_designator(ConstByteSpan payload);

/// VPD 0xB0. In logical blocks; 0 = no limit told, or not supported for compare_and_write.
struct BlockLimits {
  std::uint8_t max_compare_and_write = 0;
  std::uint32_t max_transfer = 0;
  std::uint32_t max_unmap_blocks = 0;
  std::uint32_t max_unmap_runs = 0;
  std::uint64_t max_write_same = 0;
};
BlockLimits parse_block_limits(ConstByteSpan payload);

/// VPD 0xB2
struct Provisioning {
  bool unmap = false;             ///< LBPU: UNMAP
  bool write_same_unmap = false;  ///< LBPWS: WRITE SAME(16) with the UNMAP bit
};
Provisioning parse_provisioning(ConstByteSpan payload);

/// PERSISTENT RESERVE IN, READ RESERVATION: the key of who holds the LUN; nullopt: nobody does.
/// Source: SPC-5 §6.16.3.
std::optional<std::uint64_t> parse_reservation_key(ConstByteSpan bytes);

struct Capacity {
  std::uint64_t blocks = 0;
  std::uint32_t block_size = 0;           ///< bytes
  std::uint32_t physical_block_size = 0;  ///< bytes
  bool thin = false;                      ///< LBPME: blocks may be unmapped
  bool unmapped_reads_zero = false;       ///< LBPRZ
  bool protection = false;                ///< PROT_EN
};
/// READ CAPACITY(16); kCorrupt if the size does not fit 64 bits of bytes or a block size of 0.
Capacity parse_capacity(ConstByteSpan bytes);

/// MODE SENSE(6) with the caching page.
struct CacheMode {
  bool write_protected = false;
  bool fua = false;                 ///< DPOFUA: WRITE obeys its FUA bit
  std::optional<bool> write_cache;  ///< WCE; none if the page is not there
};
CacheMode parse_cache_mode(ConstByteSpan bytes);

/// REPORT LUNS: numbers in the flat forms (0 to 16383); others are left out.
std::vector<std::uint16_t> parse_luns(ConstByteSpan bytes);

struct LbaState {
  std::uint64_t blocks = 0;
  bool deallocated = false;
};
/// GET LBA STATUS for a question that began at `lba`: runs without gaps from there on. Ends where
/// the answer stops making sense, so empty if it does not begin at `lba`.
std::vector<LbaState> parse_lba_status(ConstByteSpan bytes, std::uint64_t lba);

}  // namespace lunfs::iscsi

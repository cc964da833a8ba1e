#pragma once

#include <string>

#include "base/bytes.h"

namespace lunfs::iscsi {

/// What a LUN is named by, as the target sent it; untrusted. Pages with their headers; empty where
/// the LUN has none.
struct LunNames {
  ConstByteSpan inquiry;  ///< standard INQUIRY data
  ConstByteSpan page_80;  ///< VPD 0x80, serial number
  ConstByteSpan page_83;  ///< VPD 0x83, device identification
};

/// The name that udev's `scsi_id -g` gives the LUN, with white space as XenServer's storage manager
/// stores it: none at the ends, else '_' for each run. That is the SCSIid of a PBD. A digit for the
/// kind of name ('3' NAA, '2' EUI-64, '1' T10 vendor, '0' vendor specific, 'S' serial number) and
/// the name. Bytes that are not printable ASCII become '_'. Empty if the LUN has no such name.
///
/// Pure; never throws for what the bytes say. Source: SPC-4 §7.8.6; docs/formats/sr-layout.md,
/// SCSIid.
[[nodiscard]] std::string scsi_id(const LunNames& names);

}  // namespace lunfs::iscsi

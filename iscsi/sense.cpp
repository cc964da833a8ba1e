#include "iscsi/sense.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace lunfs::iscsi {

namespace {

constexpr std::size_t kFixedMinimum = 8;  // with the key; ASC and ASCQ count as 0 where cut off
constexpr std::size_t kFixedKey = 2;
constexpr std::size_t kFixedAsc = 12;
constexpr std::size_t kDescriptorMinimum = 4;

struct NamedSense {
  std::uint16_t code;  ///< ASC << 8 | ASCQ
  std::string_view name;
};

// Sorted by code. Source: SPC-4 annex F, as far as block devices and iSCSI targets use it.
constexpr std::array kNames = std::to_array<NamedSense>({
    {0x0000, "no additional sense information"},
    {0x0016, "operation in progress"},
    {0x0400, "logical unit not ready, cause not reportable"},
    {0x0401, "logical unit is in process of becoming ready"},
    {0x0402, "logical unit not ready, initializing command required"},
    {0x0403, "logical unit not ready, manual intervention required"},
    {0x0404, "logical unit not ready, format in progress"},
    {0x0407, "logical unit not ready, operation in progress"},
    {0x0409, "logical unit not ready, self-test in progress"},
    {0x040a, "logical unit not accessible, asymmetric access state transition"},
    {0x040b, "logical unit not accessible, target port in standby state"},
    {0x040c, "logical unit not accessible, target port in unavailable state"},
    {0x0412, "logical unit not ready, offline"},
    {0x0414, "logical unit not ready, space allocation in progress"},
    {0x041b, "logical unit not ready, sanitize in progress"},
    {0x0500, "logical unit does not respond to selection"},
    {0x0800, "logical unit communication failure"},
    {0x0801, "logical unit communication time-out"},
    {0x0c00, "write error"},
    {0x0c02, "write error - auto reallocation failed"},
    {0x0c03, "write error - recommend reassignment"},
    {0x0c0d, "write error - not enough unsolicited data"},
    {0x0e03, "invalid field in command information unit"},
    {0x1000, "id crc or ecc error"},
    {0x1001, "logical block guard check failed"},
    {0x1100, "unrecovered read error"},
    {0x1101, "read retries exhausted"},
    {0x1104, "unrecovered read error - auto reallocate failed"},
    {0x110b, "unrecovered read error - recommend reassignment"},
    {0x1115, "write after sanitize required"},
    {0x1400, "recorded entity not found"},
    {0x1700, "recovered data with no error correction applied"},
    {0x1800, "recovered data with error correction applied"},
    {0x1a00, "parameter list length error"},
    {0x1d00, "miscompare during verify operation"},
    {0x2000, "invalid command operation code"},
    {0x2002, "access denied - no access rights"},
    {0x2100, "logical block address out of range"},
    {0x2400, "invalid field in cdb"},
    {0x2500, "logical unit not supported"},
    {0x2600, "invalid field in parameter list"},
    {0x2700, "write protected"},
    {0x2701, "hardware write protected"},
    {0x2702, "logical unit software write protected"},
    {0x2707, "space allocation failed write protect"},
    {0x2800, "not ready to ready change, medium may have changed"},
    {0x2900, "power on, reset, or bus device reset occurred"},
    {0x2901, "power on occurred"},
    {0x2902, "scsi bus reset occurred"},
    {0x2903, "bus device reset function occurred"},
    {0x2904, "device internal reset"},
    {0x2907, "i_t nexus loss occurred"},
    {0x2a01, "mode parameters changed"},
    {0x2a03, "reservations preempted"},
    {0x2a04, "reservations released"},
    {0x2a05, "registrations preempted"},
    {0x2a06, "asymmetric access state changed"},
    {0x2a09, "capacity data has changed"},
    {0x2c00, "command sequence error"},
    {0x2f00, "commands cleared by another initiator"},
    {0x3100, "medium format corrupted"},
    {0x3807, "thin provisioning soft threshold reached"},
    {0x3900, "saving parameters not supported"},
    {0x3a00, "medium not present"},
    {0x3e00, "logical unit has not self-configured yet"},
    {0x3e01, "logical unit failure"},
    {0x3e02, "timeout on logical unit"},
    {0x3f00, "target operating conditions have changed"},
    {0x3f03, "inquiry data has changed"},
    {0x3f0e, "reported luns data has changed"},
    {0x4300, "message error"},
    {0x4400, "internal target failure"},
    {0x4700, "scsi parity error"},
    {0x4703, "information unit iucrc error detected"},
    {0x4705, "protocol service crc error"},
    {0x4800, "initiator detected error message received"},
    {0x4900, "invalid message error"},
    {0x4b00, "data phase error"},
    {0x4e00, "overlapped commands attempted"},
    {0x5300, "media load or eject failed"},
    {0x5500, "system resource failure"},
    {0x5504, "insufficient registration resources"},
    {0x5d00, "failure prediction threshold exceeded"},
    {0x6700, "configuration failure"},
    {0x6800, "logical unit not configured"},
});

constexpr bool sorted() {
  for (std::size_t i = 1; i < kNames.size(); ++i) {
    if (kNames[i - 1].code >= kNames[i].code) return false;
  }
  return true;
}
static_assert(sorted(), "additional_sense_name() searches by halves");

std::string_view key_name(SenseKey key) noexcept {
  switch (key) {
    case SenseKey::kNoSense:
      return "NO SENSE";
    case SenseKey::kRecoveredError:
      return "RECOVERED ERROR";
    case SenseKey::kNotReady:
      return "NOT READY";
    case SenseKey::kMediumError:
      return "MEDIUM ERROR";
    case SenseKey::kHardwareError:
      return "HARDWARE ERROR";
    case SenseKey::kIllegalRequest:
      return "ILLEGAL REQUEST";
    case SenseKey::kUnitAttention:
      return "UNIT ATTENTION";
    case SenseKey::kDataProtect:
      return "DATA PROTECT";
    case SenseKey::kBlankCheck:
      return "BLANK CHECK";
    case SenseKey::kVendorSpecific:
      return "VENDOR SPECIFIC";
    case SenseKey::kCopyAborted:
      return "COPY ABORTED";
    case SenseKey::kAbortedCommand:
      return "ABORTED COMMAND";
    case SenseKey::kVolumeOverflow:
      return "VOLUME OVERFLOW";
    case SenseKey::kMiscompare:
      return "MISCOMPARE";
    case SenseKey::kCompleted:
      return "COMPLETED";
  }
  return "RESERVED SENSE KEY";
}

std::uint8_t byte_at(ConstByteSpan bytes, std::size_t place) noexcept {
  return place < bytes.size() ? std::to_integer<std::uint8_t>(bytes[place]) : std::uint8_t{0};
}

}  // namespace

std::optional<Sense> parse_sense(ConstByteSpan bytes) noexcept {
  const auto key_at = [&](std::size_t place) {
    return static_cast<SenseKey>(byte_at(bytes, place) & 0x0fU);
  };
  switch (byte_at(bytes, 0) & 0x7fU) {
    case 0x70:
    case 0x71:
      if (bytes.size() < kFixedMinimum) return std::nullopt;
      return Sense{key_at(kFixedKey), byte_at(bytes, kFixedAsc), byte_at(bytes, kFixedAsc + 1),
                   (byte_at(bytes, 0) & 1U) != 0};
    case 0x72:
    case 0x73:
      if (bytes.size() < kDescriptorMinimum) return std::nullopt;
      return Sense{key_at(1), byte_at(bytes, 2), byte_at(bytes, 3), (byte_at(bytes, 0) & 1U) != 0};
    default:
      return std::nullopt;
  }
}

std::string_view additional_sense_name(std::uint8_t asc, std::uint8_t ascq) noexcept {
  const auto code = static_cast<std::uint16_t>((asc << 8U) | ascq);
  const auto found =
      std::lower_bound(kNames.begin(), kNames.end(), code,
                       [](const NamedSense& named, std::uint16_t key) { return named.code < key; });
  return found != kNames.end() && found->code == code ? found->name : std::string_view();
}

std::string sense_text(const Sense& sense) {
  std::string text =
      fmt::format("{}{} {:02x}/{:02x}/{:02x}", sense.deferred ? "deferred " : "",
                  key_name(sense.key), static_cast<unsigned>(sense.key), sense.asc, sense.ascq);
  const std::string_view name = additional_sense_name(sense.asc, sense.ascq);
  if (!name.empty()) text += fmt::format(" {}", name);
  return text;
}

ErrorKind sense_kind(const Sense& sense) noexcept {
  constexpr std::uint8_t kLbaOutOfRange = 0x21;
  constexpr std::uint8_t kLunNotSupported = 0x25;
  constexpr std::uint8_t kWriteProtected = 0x27;
  constexpr std::uint8_t kSpaceAllocationFailed = 0x07;
  // What failed was an earlier, acknowledged command: nothing but "the storage failed" is true.
  if (sense.deferred) return ErrorKind::kIo;
  if (sense.is(kWriteProtected, kSpaceAllocationFailed)) return ErrorKind::kNoSpace;
  switch (sense.key) {
    case SenseKey::kDataProtect:
      return ErrorKind::kReadOnly;
    case SenseKey::kNotReady:
      return ErrorKind::kBusy;
    case SenseKey::kIllegalRequest:
      if (sense.asc == kWriteProtected) return ErrorKind::kReadOnly;
      if (sense.asc == kLunNotSupported) return ErrorKind::kNotFound;
      if (sense.asc == kLbaOutOfRange) return ErrorKind::kOutOfRange;
      return ErrorKind::kUnsupported;
    default:
      return ErrorKind::kIo;
  }
}

}  // namespace lunfs::iscsi

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace lunfs::iscsi {

/// SCSI sense keys that lunfs tells apart. Source: SPC-4 §4.5.6.
enum class SenseKey : std::uint8_t {
  kNoSense = 0x0,
  kRecoveredError = 0x1,
  kNotReady = 0x2,
  kMediumError = 0x3,
  kHardwareError = 0x4,
  kIllegalRequest = 0x5,
  kUnitAttention = 0x6,
  kDataProtect = 0x7,
  kBlankCheck = 0x8,
  kVendorSpecific = 0x9,
  kCopyAborted = 0xa,
  kAbortedCommand = 0xb,
  kVolumeOverflow = 0xd,
  kMiscompare = 0xe,
  kCompleted = 0xf,
};

/// Why a command ended with CHECK CONDITION.
struct Sense {
  SenseKey key = SenseKey::kNoSense;
  std::uint8_t asc = 0;   ///< additional sense code
  std::uint8_t ascq = 0;  ///< its qualifier
  bool deferred = false;  ///< speaks of an earlier command; this one was not executed

  [[nodiscard]] bool is(std::uint8_t code, std::uint8_t qualifier) const noexcept {
    return asc == code && ascq == qualifier;
  }
  bool operator==(const Sense&) const = default;
};

/// Sense data in fixed (0x70, 0x71) or descriptor format (0x72, 0x73); nullopt for anything else or
/// less. Never reads beyond `bytes`.
std::optional<Sense> parse_sense(ConstByteSpan bytes) noexcept;

/// "MEDIUM ERROR 03/11/00 unrecovered read error": T10's names where known.
std::string sense_text(const Sense& sense);

/// What the sense means for a caller: kReadOnly, kNoSpace, kIo, ...
ErrorKind sense_kind(const Sense& sense) noexcept;

/// UNIT ATTENTION 29/xx: the LUN was powered on or reset; what its cache held may be gone.
[[nodiscard]] constexpr bool tells_of_reset(const Sense& sense) noexcept {
  return sense.key == SenseKey::kUnitAttention && !sense.deferred && sense.asc == 0x29;
}

/// T10's name of the pair, lower case; empty if lunfs does not know it.
std::string_view additional_sense_name(std::uint8_t asc, std::uint8_t ascq) noexcept;

}  // namespace lunfs::iscsi

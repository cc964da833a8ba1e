#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "iscsi/alua.h"
#include "iscsi/login_inspector.h"
#include "iscsi/receive_tap.h"
#include "iscsi/scsi_data.h"
#include "iscsi/scsi_id.h"
#include "iscsi/sense.h"

namespace {

using lunfs::ConstByteSpan;
using namespace lunfs::iscsi;

/// The bytes as login responses one after the other, until one is refused or cut off.
void inspect(ConstByteSpan bytes, bool chap, bool mutual) {
  LoginInspector inspector(chap, mutual);
  while (const auto size = LoginInspector::pdu_bytes(bytes)) {
    if (*size > bytes.size()) return;
    inspector.check(bytes.first(*size));
    if (inspector.finished() && mutual && !inspector.proof_seen()) __builtin_trap();
    bytes = bytes.subspan(*size);
  }
}

/// The bytes as everything that names a LUN; the name is for tables, XML and command lines.
void name_lun(ConstByteSpan bytes) {
  for (const char c : scsi_id({.inquiry = bytes, .page_80 = bytes, .page_83 = bytes})) {
    if (c <= ' ' || c > '~') __builtin_trap();
  }
}

void parse(std::uint8_t choice, ConstByteSpan bytes) {
  switch (choice % 11) {
    case 0:
      return inspect(bytes, true, true);
    case 1:
      return inspect(bytes, true, false);
    case 2:
      if (const auto sense = parse_sense(bytes)) static_cast<void>(sense_text(*sense));
      return;
    case 3:
      static_cast<void>(parse_inquiry(bytes));
      return;
    case 4:
      name_lun(bytes);
      static_cast<void>(parse_designator(parse_vpd(bytes, 0x83)));
      return;
    case 5:
      static_cast<void>(parse_block_limits(parse_vpd(bytes, 0xb0)));
      static_cast<void>(parse_provisioning(parse_vpd(bytes, 0xb0)));
      return;
    case 6:
      if (parse_capacity(bytes).blocks == 0) __builtin_trap();
      return;
    case 7:
      static_cast<void>(parse_cache_mode(bytes));
      return;
    case 8:
      for (const std::uint16_t lun : parse_luns(bytes)) {
        if (lun > 16383) __builtin_trap();
      }
      return;
    case 10:
      static_cast<void>(state_at(parse_port_groups(bytes), parse_port_place(bytes)));
      return;
    default:
      for (const LbaState& state : parse_lba_status(bytes, 1000)) {
        if (state.blocks == 0) __builtin_trap();
      }
  }
}

}  // namespace

/// Any bytes as what a target sends: the first one chooses the parser, and all of them run past
/// the tap.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  try {
    parse(data[0], {bytes + 1, size - 1});
  } catch (const lunfs::Error& error) {
    if (error.message().empty()) __builtin_trap();
  }
  std::vector<std::byte> stream(bytes + 1, bytes + size);
  ReceiveTap tap;
  tap.expect(0);
  const std::size_t piece = 1U + data[0];
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    tap.received(std::span(stream).subspan(at, std::min(piece, stream.size() - at)));
  }
  // The last PDU's data may be still to come.
  constexpr std::size_t kLongestPdu = std::size_t{1} << 24U;
  if (tap.take(0) > size + kLongestPdu) __builtin_trap();
  return 0;
}

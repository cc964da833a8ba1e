#include "iscsi/path_access.h"

#include <utility>

#include "base/error.h"
#include "iscsi/scsi_data.h"

namespace lunfs::iscsi {

namespace {

constexpr std::uint16_t kInquiryBytes = 96;
constexpr std::uint8_t kDeviceIdentification = 0x83;
/// More than one byte can tell: who has access states speaks SPC-3, where two bytes do.
constexpr std::uint16_t kPageBytes = 2048;
constexpr std::uint32_t kGroupsBytes = 4096;

PortPlace place_in(ConstByteSpan page) {
  try {
    return parse_port_place(parse_vpd(page, kDeviceIdentification));
  } catch (const Error&) {  // not that page
    return {};
  }
}

}  // namespace

Task<std::optional<PathAccess>> look_at_access(RequestContext& context, CommandRunner& runner) {
  const auto inquiry = co_await runner.ask(context, cdb::inquiry(kInquiryBytes), kInquiryBytes);
  if (!inquiry || !tells_port_groups(*inquiry)) co_return std::nullopt;
  const auto page = co_await runner.ask(
      context, cdb::inquiry_page(kDeviceIdentification, kPageBytes), kPageBytes);
  const auto groups =
      co_await runner.ask(context, cdb::report_port_groups(kGroupsBytes), kGroupsBytes);
  if (!page || !groups) co_return std::nullopt;
  PathAccess access{.place = place_in(*page), .groups = parse_port_groups(*groups), .here = {}};
  access.here = state_at(access.groups, access.place);
  co_return access;
}

}  // namespace lunfs::iscsi

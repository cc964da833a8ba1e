#include "iscsi/lun_probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/checked.h"
#include "iscsi/scsi_data.h"
#include "iscsi/scsi_id.h"

namespace lunfs::iscsi {

namespace {

constexpr std::uint16_t kInquiryBytes = 96;
constexpr std::uint16_t kVpdBytes = 252;  // below 256: SPC-2 targets have a length of one byte
constexpr std::uint32_t kCapacityBytes = 32;
constexpr std::uint8_t kModeBytes = 192;
constexpr std::uint32_t kReportLunsBytes = 8 + 8 * 1024;
constexpr std::uint8_t kCachingPage = 0x08;
constexpr std::uint8_t kAllPages = 0x3f;

enum VpdPage : std::uint8_t {
  kSupportedPages = 0x00,
  kSerialNumber = 0x80,
  kDeviceIdentification = 0x83,
  kBlockLimits = 0xb0,
  kProvisioning = 0xb2,
};

Error no_such_lun(std::uint16_t lun) {
  return {ErrorKind::kNotFound, fmt::format("the target has no LUN {}", lun)};
}

/// Whatever names the LUN, as it was sent.
struct NamePages {
  std::vector<std::byte> inquiry;
  std::vector<std::byte> page_80;
  std::vector<std::byte> page_83;
};

bool contains(ConstByteSpan pages, std::uint8_t page) {
  return std::find(pages.begin(), pages.end(), std::byte{page}) != pages.end();
}

Task<void> probe_inquiry(RequestContext& context, CommandRunner& runner, std::uint16_t lun,
                         LunFeatures& features, NamePages& names) {
  auto bytes = co_await runner.ask(context, cdb::inquiry(kInquiryBytes), kInquiryBytes);
  if (!bytes) throw no_such_lun(lun);
  const InquiryData inquiry = parse_inquiry(*bytes);
  if (inquiry.qualifier != 0) throw no_such_lun(lun);
  if (inquiry.device_type != 0) {
    throw Error(ErrorKind::kNotFound,
                fmt::format("it is a {}, not a disk", device_type_name(inquiry.device_type)));
  }
  features.identity.vendor = inquiry.vendor;
  features.identity.product = inquiry.product;
  names.inquiry = *std::move(bytes);
}

Task<void> probe_capacity(RequestContext& context, CommandRunner& runner, LunFeatures& features,
                          bool& reads_zero) {
  const auto bytes =
      co_await runner.ask(context, cdb::read_capacity_16(kCapacityBytes), kCapacityBytes);
  if (!bytes) throw Error(ErrorKind::kUnsupported, "the LUN does not know READ CAPACITY(16)");
  const Capacity capacity = parse_capacity(*bytes);
  if (capacity.block_size != 512 && capacity.block_size != 4096) {
    throw Error(ErrorKind::kUnsupported, fmt::format("the LUN has blocks of {} bytes, lunfs reads "
                                                     "512 and 4096",
                                                     capacity.block_size));
  }
  features.identity.block_size_bytes = capacity.block_size;
  features.identity.size_bytes = capacity.blocks * capacity.block_size;
  features.geometry.size_bytes = features.identity.size_bytes;
  features.geometry.block_size_bytes = capacity.block_size;
  features.geometry.physical_block_bytes = capacity.physical_block_size;
  reads_zero = capacity.thin && capacity.unmapped_reads_zero;
  features.lba_status = reads_zero;
  features.thin = capacity.thin;
}

Task<void> probe_pages(RequestContext& context, CommandRunner& runner, LunFeatures& features,
                       bool reads_zero, NamePages& names) {
  const auto list =
      co_await runner.ask(context, cdb::inquiry_page(kSupportedPages, kVpdBytes), kVpdBytes);
  if (!list) co_return;
  const ConstByteSpan pages = parse_vpd(*list, kSupportedPages);
  for (const std::uint8_t page :
       {kSerialNumber, kDeviceIdentification, kBlockLimits, kProvisioning}) {
    if (!contains(pages, page)) continue;
    auto bytes = co_await runner.ask(context, cdb::inquiry_page(page, kVpdBytes), kVpdBytes);
    if (!bytes) continue;
    const ConstByteSpan payload = parse_vpd(*bytes, page);
    if (page == kSerialNumber) features.identity.serial = parse_serial(payload);
    if (page == kDeviceIdentification) features.identity.designator = parse_designator(payload);
    if (page == kBlockLimits) {
      const BlockLimits limits = parse_block_limits(payload);
      features.geometry.max_transfer_bytes =
          std::uint64_t{limits.max_transfer} * features.geometry.block_size_bytes;
      features.max_unmap_blocks = limits.max_unmap_blocks;
      features.max_unmap_runs = limits.max_unmap_runs;
      features.max_write_same = limits.max_write_same;
      features.write_same = features.write_same || limits.max_write_same > 0;
      features.max_compare_and_write = limits.max_compare_and_write;
    }
    if (page == kProvisioning) {
      const Provisioning provisioning = parse_provisioning(payload);
      features.unmap = provisioning.unmap;
      features.write_same = features.write_same || provisioning.write_same_unmap;
      // Without LBPRZ the blocks may come back with anything.
      features.write_same_unmap = provisioning.write_same_unmap && reads_zero;
    }
    if (page == kSerialNumber) names.page_80 = *std::move(bytes);
    if (page == kDeviceIdentification) names.page_83 = *std::move(bytes);
  }
}

Task<void> probe_modes(RequestContext& context, CommandRunner& runner, LunFeatures& features) {
  auto bytes =
      co_await runner.ask(context, cdb::mode_sense_6(kCachingPage, kModeBytes), kModeBytes);
  if (!bytes) {
    // Write protection stands in front of every page.
    bytes = co_await runner.ask(context, cdb::mode_sense_6(kAllPages, kModeBytes), kModeBytes);
  }
  if (!bytes || bytes->size() < 4) co_return;
  const CacheMode mode = parse_cache_mode(*bytes);
  features.write_protected = mode.write_protected;
  features.geometry.read_only = mode.write_protected;
  features.fua = mode.fua;
  // A page that is not there proves nothing: the cache is flushed then.
  features.write_cache = mode.write_cache.value_or(true);
}

}  // namespace

Task<LunFeatures> probe_lun(RequestContext& context, CommandRunner& runner, std::uint16_t lun) {
  LunFeatures features;
  NamePages names;
  co_await probe_inquiry(context, runner, lun, features, names);
  const ScsiCommand ready{.cdb = cdb::test_unit_ready()};
  co_await runner.run_or_throw(context, ready);
  bool reads_zero = false;
  co_await probe_capacity(context, runner, features, reads_zero);
  co_await probe_pages(context, runner, features, reads_zero, names);
  features.identity.scsi_id =
      scsi_id({.inquiry = names.inquiry, .page_80 = names.page_80, .page_83 = names.page_83});
  co_await probe_modes(context, runner, features);

  Geometry& geometry = features.geometry;
  const std::uint64_t told = geometry.max_transfer_bytes;
  geometry.max_transfer_bytes = told == 0 ? kMaxTransferBytes : std::min(told, kMaxTransferBytes);
  geometry.can_unmap = features.unmap || features.write_same_unmap;
  geometry.can_compare_and_write = features.max_compare_and_write > 0;
  co_return features;
}

Task<std::vector<std::uint16_t>> report_luns(RequestContext& context, CommandRunner& runner) {
  // To LUN 0, where every target answers it, whether that LUN exists or not.
  const auto bytes =
      co_await runner.ask(context, cdb::report_luns(kReportLunsBytes), kReportLunsBytes, 0);
  if (!bytes || bytes->empty()) co_return std::vector<std::uint16_t>{};
  std::vector<std::uint16_t> luns = parse_luns(*bytes);
  std::sort(luns.begin(), luns.end());
  co_return luns;
}

}  // namespace lunfs::iscsi

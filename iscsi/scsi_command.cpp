#include "iscsi/scsi_command.h"

#include <fmt/format.h>

#include <cstring>

#include "base/bytes.h"

namespace lunfs::iscsi {

namespace {

enum Opcode : std::uint8_t {
  kTestUnitReady = 0x00,
  kInquiry = 0x12,
  kModeSense6 = 0x1a,
  kSynchronizeCache10 = 0x35,
  kUnmap = 0x42,
  kRead16 = 0x88,
  kCompareAndWrite = 0x89,
  kWrite16 = 0x8a,
  kWriteSame16 = 0x93,
  kServiceActionIn16 = 0x9e,
  kReportLuns = 0xa0,
  kPersistentReserveIn = 0x5e,
  kMaintenanceIn = 0xa3,
};
constexpr std::uint8_t kReadCapacity16 = 0x10;  // service actions of kServiceActionIn16
constexpr std::uint8_t kGetLbaStatus = 0x12;

Cdb make(Opcode opcode, std::uint8_t length) {
  Cdb cdb;
  cdb.bytes[0] = opcode;
  cdb.length = length;
  return cdb;
}

template <typename T>
void put(Cdb& cdb, std::size_t place, T value) {
  store_be(std::as_writable_bytes(std::span(cdb.bytes)), place, value);
}

/// The layout that READ(16) and its relatives share.
Cdb block_command(Opcode opcode, std::uint64_t lba, std::uint32_t blocks) {
  Cdb cdb = make(opcode, 16);
  put(cdb, 2, lba);
  put(cdb, 10, blocks);
  return cdb;
}

std::string_view status_name(ScsiStatus status) noexcept {
  switch (status) {
    case ScsiStatus::kGood:
      return "GOOD";
    case ScsiStatus::kCheckCondition:
      return "CHECK CONDITION without sense data";
    case ScsiStatus::kBusy:
      return "BUSY";
    case ScsiStatus::kReservationConflict:
      return "RESERVATION CONFLICT";
    case ScsiStatus::kTaskSetFull:
      return "TASK SET FULL";
    case ScsiStatus::kAcaActive:
      return "ACA ACTIVE";
    case ScsiStatus::kTaskAborted:
      return "TASK ABORTED";
  }
  return "unknown status";
}

ErrorKind status_kind(const CommandResult& result) noexcept {
  switch (result.status) {
    case ScsiStatus::kCheckCondition:
      return result.sense ? sense_kind(*result.sense) : ErrorKind::kIo;
    case ScsiStatus::kReservationConflict:
      return ErrorKind::kReserved;
    case ScsiStatus::kBusy:
    case ScsiStatus::kTaskSetFull:
      return ErrorKind::kBusy;
    default:
      return ErrorKind::kIo;
  }
}

}  // namespace

bool CommandResult::succeeded() const noexcept {
  if (status == ScsiStatus::kGood) return true;
  return status == ScsiStatus::kCheckCondition && sense && !sense->deferred &&
         sense->key == SenseKey::kRecoveredError;
}

bool CommandResult::not_supported() const noexcept {
  // Not every ILLEGAL REQUEST: 25/00 (no such LUN) or 21/00 (no such LBA) say nothing of the
  // command.
  constexpr std::uint8_t kInvalidOpcode = 0x20;
  constexpr std::uint8_t kInvalidFieldInCdb = 0x24;
  constexpr std::uint8_t kInvalidFieldInParameters = 0x26;
  return status == ScsiStatus::kCheckCondition && sense && !sense->deferred &&
         sense->key == SenseKey::kIllegalRequest &&
         (sense->asc == kInvalidOpcode || sense->asc == kInvalidFieldInCdb ||
          sense->asc == kInvalidFieldInParameters);
}

Error command_error(const Cdb& cdb, const CommandResult& result) {
  const bool has_sense = result.status == ScsiStatus::kCheckCondition && result.sense.has_value();
  Error error(
      status_kind(result),
      fmt::format("{}: {}", command_name(cdb),
                  has_sense ? sense_text(*result.sense) : std::string(status_name(result.status))));
  switch (error.kind()) {
    case ErrorKind::kReserved:
      error.set_cause("another initiator holds a SCSI reservation on the LUN");
      error.set_remedy("find out who holds it before you have it released at the array");
      break;
    case ErrorKind::kReadOnly:
      error.set_cause("the LUN is write protected at the array");
      break;
    case ErrorKind::kNoSpace:
      error.set_cause("the pool that the thin-provisioned LUN takes its space from is full");
      error.set_remedy("give the pool more space at the array");
      break;
    case ErrorKind::kBusy:
      error.set_cause("the LUN was busy or not ready for longer than it was waited for");
      error.set_remedy("look at the state of the LUN at the array");
      break;
    default:
      break;
  }
  return error;
}

bool is_flush(const Cdb& cdb) noexcept { return cdb.bytes[0] == kSynchronizeCache10; }

std::string_view command_name(const Cdb& cdb) noexcept {
  switch (cdb.bytes[0]) {
    case kTestUnitReady:
      return "TEST UNIT READY";
    case kInquiry:
      return "INQUIRY";
    case kModeSense6:
      return "MODE SENSE(6)";
    case kSynchronizeCache10:
      return "SYNCHRONIZE CACHE(10)";
    case kUnmap:
      return "UNMAP";
    case kRead16:
      return "READ(16)";
    case kCompareAndWrite:
      return "COMPARE AND WRITE";
    case kWrite16:
      return "WRITE(16)";
    case kWriteSame16:
      return "WRITE SAME(16)";
    case kServiceActionIn16:
      return cdb.bytes[1] == kGetLbaStatus ? "GET LBA STATUS" : "READ CAPACITY(16)";
    case kReportLuns:
      return "REPORT LUNS";
    case kPersistentReserveIn:
      return "PERSISTENT RESERVE IN";
    case kMaintenanceIn:
      return "REPORT TARGET PORT GROUPS";
    default:
      return "SCSI command";
  }
}

namespace cdb {

Cdb test_unit_ready() { return make(kTestUnitReady, 6); }

Cdb inquiry(std::uint16_t allocation_length) {
  Cdb cdb = make(kInquiry, 6);
  put(cdb, 3, allocation_length);
  return cdb;
}

Cdb inquiry_page(std::uint8_t page, std::uint16_t allocation_length) {
  Cdb cdb = inquiry(allocation_length);
  cdb.bytes[1] = 1;  // EVPD
  cdb.bytes[2] = page;
  return cdb;
}

Cdb read_capacity_16(std::uint32_t allocation_length) {
  Cdb cdb = make(kServiceActionIn16, 16);
  cdb.bytes[1] = kReadCapacity16;
  put(cdb, 10, allocation_length);
  return cdb;
}

Cdb mode_sense_6(std::uint8_t page, std::uint8_t allocation_length) {
  Cdb cdb = make(kModeSense6, 6);
  cdb.bytes[1] = 0x08;  // DBD: no block descriptors
  cdb.bytes[2] = page;
  cdb.bytes[4] = allocation_length;
  return cdb;
}

Cdb report_luns(std::uint32_t allocation_length) {
  Cdb cdb = make(kReportLuns, 12);
  put(cdb, 6, allocation_length);
  return cdb;
}

Cdb read_16(std::uint64_t lba, std::uint32_t blocks) { return block_command(kRead16, lba, blocks); }

Cdb write_16(std::uint64_t lba, std::uint32_t blocks, bool fua) {
  Cdb cdb = block_command(kWrite16, lba, blocks);
  if (fua) cdb.bytes[1] = 0x08;
  return cdb;
}

Cdb synchronize_cache_10() { return make(kSynchronizeCache10, 10); }

Cdb report_port_groups(std::uint32_t allocation_length) {
  constexpr std::uint8_t kReportTargetPortGroups = 0x0a;
  Cdb cdb = make(kMaintenanceIn, 12);
  cdb.bytes[1] = kReportTargetPortGroups;
  put(cdb, 6, allocation_length);
  return cdb;
}

Cdb read_reservation(std::uint16_t allocation_length) {
  constexpr std::uint8_t kReadReservation = 0x01;
  Cdb cdb = make(kPersistentReserveIn, 10);
  cdb.bytes[1] = kReadReservation;
  put(cdb, 7, allocation_length);
  return cdb;
}

Cdb unmap(std::uint16_t parameter_length) {
  Cdb cdb = make(kUnmap, 10);
  put(cdb, 7, parameter_length);
  return cdb;
}

Cdb write_same_16(std::uint64_t lba, std::uint32_t blocks, bool unmap) {
  Cdb cdb = block_command(kWriteSame16, lba, blocks);
  if (unmap) cdb.bytes[1] = 0x08;
  return cdb;
}

Cdb compare_and_write(std::uint64_t lba, std::uint8_t blocks) {
  Cdb cdb = make(kCompareAndWrite, 16);
  put(cdb, 2, lba);
  cdb.bytes[13] = blocks;
  return cdb;
}

Cdb get_lba_status(std::uint64_t lba, std::uint32_t allocation_length) {
  Cdb cdb = block_command(kServiceActionIn16, lba, allocation_length);
  cdb.bytes[1] = kGetLbaStatus;
  return cdb;
}

}  // namespace cdb

std::vector<std::byte> unmap_parameters(std::span<const BlockRun> runs) {
  constexpr std::size_t kHeader = 8;
  constexpr std::size_t kDescriptor = 16;
  constexpr std::size_t kMaxRuns = 4095;  // the list's length is a 16-bit number
  if (runs.size() > kMaxRuns) {
    throw Error(ErrorKind::kInternal, fmt::format("UNMAP of {} runs", runs.size()));
  }
  const std::size_t descriptors = runs.size() * kDescriptor;
  std::vector<std::byte> list(kHeader + descriptors);
  store_be(list, 0, static_cast<std::uint16_t>(list.size() - 2));
  store_be(list, 2, static_cast<std::uint16_t>(descriptors));
  for (std::size_t i = 0; i < runs.size(); ++i) {
    store_be(list, kHeader + i * kDescriptor, runs[i].lba);
    store_be(list, kHeader + i * kDescriptor + 8, runs[i].blocks);
  }
  return list;
}

}  // namespace lunfs::iscsi

#include "iscsi/scsi_command.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace lunfs::iscsi {
namespace {

using ::testing::HasSubstr;

std::string hex(const Cdb& cdb) {
  std::string text;
  for (std::size_t i = 0; i < cdb.length; ++i) text += fmt::format("{:02x}", cdb.bytes[i]);
  return text;
}

TEST(Cdb, IsWhatTheStandardsSay) {
  const struct {
    Cdb cdb;
    const char* bytes;
    const char* name;
  } cases[] = {
      {cdb::test_unit_ready(), "000000000000", "TEST UNIT READY"},
      {cdb::inquiry(0x0160), "120000016000", "INQUIRY"},
      {cdb::inquiry_page(0xb0, 0xfc), "1201b000fc00", "INQUIRY"},
      {cdb::read_capacity_16(32), "9e100000000000000000000000200000", "READ CAPACITY(16)"},
      {cdb::mode_sense_6(0x08, 0xc0), "1a080800c000", "MODE SENSE(6)"},
      {cdb::report_luns(0x2008), "a00000000000000020080000", "REPORT LUNS"},
      {cdb::read_16(0x0102030405060708, 0x0a0b0c0d), "880001020304050607080a0b0c0d0000",
       "READ(16)"},
      {cdb::write_16(1, 2, false), "8a000000000000000001000000020000", "WRITE(16)"},
      {cdb::write_16(1, 2, true), "8a080000000000000001000000020000", "WRITE(16)"},
      {cdb::synchronize_cache_10(), "35000000000000000000", "SYNCHRONIZE CACHE(10)"},
      {cdb::unmap(24), "42000000000000001800", "UNMAP"},
      {cdb::write_same_16(3, 4, false), "93000000000000000003000000040000", "WRITE SAME(16)"},
      {cdb::write_same_16(3, 4, true), "93080000000000000003000000040000", "WRITE SAME(16)"},
      {cdb::compare_and_write(5, 1), "89000000000000000005000000010000", "COMPARE AND WRITE"},
      {cdb::report_port_groups(0x0400), "a30a00000000000004000000", "REPORT TARGET PORT GROUPS"},
      {cdb::get_lba_status(6, 24), "9e120000000000000006000000180000", "GET LBA STATUS"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(command_name(c.cdb), c.name);
    // In COMPARE AND WRITE the number of blocks is the one byte at 13.
    EXPECT_EQ(hex(c.cdb), c.bytes) << c.name;
  }
}

TEST(UnmapParameters, HoldHeaderAndRuns) {
  const BlockRun runs[] = {{0x0102030405060708, 0x11121314}, {1, 2}};
  std::string text;
  for (const std::byte b : unmap_parameters(runs)) {
    text += fmt::format("{:02x}", std::to_integer<unsigned>(b));
  }
  EXPECT_EQ(text,
            "0026002000000000"
            "01020304050607081112131400000000"
            "00000000000000010000000200000000");
}

TEST(UnmapParameters, FitTheirLengthField) {
  EXPECT_EQ(unmap_parameters(std::vector<BlockRun>(4095)).size(), 8U + 4095U * 16U);
  EXPECT_THROW(unmap_parameters(std::vector<BlockRun>(4096)), Error);
}

TEST(CommandResult, OnlyOpcodeAndFieldFaultsMeanThatACommandIsNotKnown) {
  const auto refused = [](std::uint8_t asc, std::uint8_t ascq, bool deferred = false) {
    const CommandResult result{.status = ScsiStatus::kCheckCondition,
                               .sense = Sense{SenseKey::kIllegalRequest, asc, ascq, deferred}};
    return result.not_supported();
  };
  EXPECT_TRUE(refused(0x20, 0));
  EXPECT_TRUE(refused(0x24, 0));
  EXPECT_TRUE(refused(0x26, 0));
  EXPECT_FALSE(refused(0x25, 0)) << "the LUN is gone";
  EXPECT_FALSE(refused(0x21, 0)) << "the LBA is out of range";
  EXPECT_FALSE(refused(0x20, 0, true)) << "speaks of another command";
}

TEST(CommandError, HasKindNameAndSense) {
  const struct {
    CommandResult result;
    ErrorKind kind;
    const char* text;
  } cases[] = {
      {{.status = ScsiStatus::kCheckCondition, .sense = Sense{SenseKey::kMediumError, 0x11, 0}},
       ErrorKind::kIo,
       "READ(16): MEDIUM ERROR 03/11/00 unrecovered read error"},
      {{.status = ScsiStatus::kReservationConflict, .sense = {}},
       ErrorKind::kReserved,
       "READ(16): RESERVATION CONFLICT"},
      {{.status = ScsiStatus::kBusy, .sense = {}}, ErrorKind::kBusy, "READ(16): BUSY"},
      {{.status = ScsiStatus::kTaskSetFull, .sense = {}},
       ErrorKind::kBusy,
       "READ(16): TASK SET FULL"},
      {{.status = ScsiStatus::kCheckCondition, .sense = {}},
       ErrorKind::kIo,
       "READ(16): CHECK CONDITION without sense data"},
      {{.status = ScsiStatus::kTaskAborted, .sense = {}}, ErrorKind::kIo, "READ(16): TASK ABORTED"},
  };
  for (const auto& c : cases) {
    const Error error = command_error(cdb::read_16(0, 1), c.result);
    EXPECT_EQ(error.kind(), c.kind) << c.text;
    EXPECT_EQ(error.message(), c.text);
  }
}

}  // namespace
}  // namespace lunfs::iscsi

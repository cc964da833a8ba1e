#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <vector>

#include "base/spawn.h"
#include "tests/unit/iscsi/fake_lun.h"

namespace lunfs::testing {

constexpr std::size_t kJournalBytes = std::size_t{1} << 20U;

/// A fake LUN with a volatile cache, opened with a journal.
struct JournalledLun : FakeLun {
  explicit JournalledLun(FakeTarget::Options options,
                         std::chrono::seconds patience = std::chrono::seconds(2))
      : FakeLun(std::move(options), patience, nullptr, kJournalBytes) {}

  void zero(std::uint64_t offset, std::uint64_t length) {
    initiator.run([&](RequestContext& c) { return lun->write_zeroes(c, offset, length, true); });
  }
  /// What the LUN has in its cache now, without asking it.
  [[nodiscard]] std::vector<std::byte> seen(std::uint64_t offset, std::size_t size) const {
    const std::vector<std::byte> all = target.bytes();
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(offset);
    return {begin, begin + static_cast<std::ptrdiff_t>(size)};
  }
  /// A flush succeeds, nothing counts as lost, and the range holds `expected` whatever happens
  /// next.
  void expect_durable(std::uint64_t offset, const std::vector<std::byte>& expected) {
    flush();
    EXPECT_EQ(lun->losses(), 0U);
    target.lose_cache();
    EXPECT_EQ(seen(offset, expected.size()), expected);
  }
};

inline std::uint64_t lba_of(const iscsi::Cdb& cdb) {
  return load_be<std::uint64_t>(std::as_bytes(std::span(cdb.bytes)), 2);
}

}  // namespace lunfs::testing

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "volume/vhd/checksum.h"
#include "volume/vhd/footer.h"

using namespace lunfs;
using namespace lunfs::vhd;

namespace {

constexpr std::uint64_t kChecksumAt = 64;

void check(const Footer& footer) {
  if (footer.size_bytes == 0 || footer.size_bytes % kSectorBytes != 0) __builtin_trap();
  if (footer.size_bytes > kMaxSizeBytes || footer.creator.size() > 4) __builtin_trap();
  const bool fixed = footer.type == DiskType::kFixed;
  if (fixed != (footer.header_offset == 0) || footer.header_offset >= kMaxSizeBytes) {
    __builtin_trap();
  }
}

template <typename Act>
void try_out(Act act) {
  try {
    act();
  } catch (const Error& error) {
    if (error.message().empty()) __builtin_trap();
  }
}

void read_all(ConstByteSpan first, ConstByteSpan last, ConstByteSpan tail) {
  try_out([&] { check(parse_footer(first)); });
  try_out([&] {
    const auto choice = choose_footer(first, last);
    if (!choice) return;
    check(choice->footer);
    if (choice->in_use && choice->at_end) __builtin_trap();
    if (!choice->at_end && choice->footer.type == DiskType::kFixed) __builtin_trap();
  });
  try_out([&] {
    const auto found = find_fixed_footer(tail, 0);
    if (found && (found->type != DiskType::kFixed || found->size_bytes >= tail.size())) {
      __builtin_trap();
    }
  });
}

/// The same with right checksums, which chance would not find.
std::vector<std::byte> sealed(ConstByteSpan bytes) {
  std::vector<std::byte> copy(bytes.begin(), bytes.end());
  for (std::size_t at = 0; copy.size() - at >= kFooterBytes; at += kFooterBytes) {
    const ByteSpan sector = ByteSpan(copy).subspan(at, kFooterBytes);
    store_be(sector, kChecksumAt, checksum_of(sector, kChecksumAt));
  }
  return copy;
}

}  // namespace

/// The first and the last sector of an image, and sectors from its end.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ConstByteSpan raw = std::as_bytes(std::span(data, size));
  const std::vector<std::byte> good = sealed(raw);
  for (const ConstByteSpan bytes : {raw, ConstByteSpan(good)}) {
    const ConstByteSpan first = bytes.first(std::min<std::size_t>(bytes.size(), kFooterBytes));
    const ConstByteSpan rest = bytes.subspan(first.size());
    read_all(first, rest.first(std::min<std::size_t>(rest.size(), kFooterBytes)), rest);
  }
  return 0;
}

#include "volume/vhd/footer.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "volume/vhd/checksum.h"
#include "volume/vhd/fields.h"

namespace lunfs::vhd {

namespace {

constexpr std::string_view kCookie = "conectix";
constexpr std::string_view kPoison = "v_poison";
constexpr std::uint32_t kFileVersion = 0x00010000;
constexpr std::uint32_t kTap01 = 0x00000001;
constexpr std::uint32_t kTap11 = 0x00010001;
constexpr std::byte kKilled{0xC7};  // what fills the sector of a footer while a host writes

// Where the fields are, in bytes.
constexpr std::uint64_t kVersionAt = 12;
constexpr std::uint64_t kHeaderOffsetAt = 16;
constexpr std::uint64_t kCreatorAt = 28;
constexpr std::uint64_t kCreatorBytes = 4;
constexpr std::uint64_t kCreatorVersionAt = 32;
constexpr std::uint64_t kSizeAt = 48;
constexpr std::uint64_t kTypeAt = 60;
constexpr std::uint64_t kChecksumAt = 64;
constexpr std::uint64_t kUuidAt = 68;
constexpr std::uint64_t kHiddenAt = 85;

bool begins_with(ConstByteSpan bytes, std::string_view cookie) {
  return as_text(bytes).starts_with(cookie);
}

void check_cookie(ConstByteSpan sector) {
  if (begins_with(sector, kPoison)) {
    throw Error(ErrorKind::kBusy, "footer: the cookie is 'v_poison', expected 'conectix'")
        .because("the image is being resized, or a host died while it resized it")
        .advise("scan the SR on the pool's master, which ends the resize");
  }
  if (!begins_with(sector, kCookie)) {
    throw Error(ErrorKind::kCorrupt, fmt::format("footer: the cookie is '{}', expected '{}'",
                                                 printable(sector.first(kCookie.size())), kCookie));
  }
}

/// tap 0.1 and 1.1 hid an image without computing the checksum anew.
bool has_checksum_of_visible(const Footer& footer, ConstByteSpan sector, std::uint32_t stored) {
  const bool old = footer.creator_version == kTap01 || footer.creator_version == kTap11;
  if (!footer.by_tap() || !old || !footer.hidden) return false;
  std::vector<std::byte> visible(sector.begin(), sector.end());
  visible[kHiddenAt] = std::byte{0};
  return stored == checksum_of(visible, kChecksumAt);
}

void check_checksum(const Footer& footer, ConstByteSpan sector) {
  const auto stored = load_be<std::uint32_t>(sector, kChecksumAt);
  const std::uint32_t computed = checksum_of(sector, kChecksumAt);
  if (stored == computed || has_checksum_of_visible(footer, sector, stored)) return;
  throw Error(ErrorKind::kCorrupt,
              fmt::format("footer: the checksum is {:#010x}, expected {:#010x}", stored, computed));
}

void check_version(const Footer& footer, ConstByteSpan sector) {
  const auto version = load_be<std::uint32_t>(sector, kVersionAt);
  if (version != kFileVersion) {
    throw Error(ErrorKind::kUnsupported,
                fmt::format("footer: the version is {:#x}, expected {:#x}", version, kFileVersion));
  }
  if (footer.by_tap() && footer.creator_version == kTap01) {
    throw Error(ErrorKind::kUnsupported,
                "footer: the creator is tap 0.1, whose images differ; expected 1.1 or later");
  }
}

DiskType checked_type(std::uint32_t type) {
  for (const DiskType known : {DiskType::kFixed, DiskType::kDynamic, DiskType::kDifferencing}) {
    if (type == static_cast<std::uint32_t>(known)) return known;
  }
  // The checksum is right, so somebody meant it: 0, 1, 5 and 6 are reserved.
  throw Error(ErrorKind::kUnsupported,
              fmt::format("footer: the disk type is {}, expected 2 (fixed), 3 (dynamic) or 4 "
                          "(differencing)",
                          type));
}

void check_size(std::uint64_t size_bytes) {
  if (size_bytes == 0 || !is_aligned(size_bytes, kSectorBytes)) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("footer: the size is {} bytes, expected a multiple of {}, not 0",
                            size_bytes, kSectorBytes));
  }
  if (size_bytes > kMaxSizeBytes) {
    throw Error(ErrorKind::kUnsupported,
                fmt::format("footer: the size is {} bytes, expected at most {}", size_bytes,
                            kMaxSizeBytes));
  }
}

void check_header_offset(std::uint64_t offset) {
  if (!is_aligned(offset, kSectorBytes) || offset < kFooterBytes || offset >= kMaxSizeBytes) {
    throw Error(
        ErrorKind::kCorrupt,
        fmt::format("footer: the header is at byte {}, expected a multiple of {} from {} on "
                    "and below {}",
                    offset, kSectorBytes, kFooterBytes, kMaxSizeBytes));
  }
}

std::string creator_of(ConstByteSpan sector) {
  const std::string_view stored = as_text(sub_span(sector, kCreatorAt, kCreatorBytes));
  const std::size_t last = stored.find_last_not_of(std::string_view(" \0", 2));
  return printable(as_byte_span(stored.substr(0, last == std::string_view::npos ? 0 : last + 1)));
}

bool is_killed(ConstByteSpan sector) {
  return !sector.empty() &&
         std::all_of(sector.begin(), sector.end(), [](std::byte b) { return b == kKilled; });
}

/// What one of the two places holds: a good footer, something that is none, or a bad one.
struct Place {
  std::optional<Footer> footer;
  std::optional<Error> error;
};

Place look_at(ConstByteSpan sector, std::string_view where) {
  if (!begins_with(sector, kCookie) && !begins_with(sector, kPoison)) return {};
  try {
    return {parse_footer(sector), std::nullopt};
  } catch (Error& error) {
    error.add_context(where);
    if (error.kind() == ErrorKind::kBusy) throw;
    return {std::nullopt, std::move(error)};
  }
}

}  // namespace

Footer parse_footer(ConstByteSpan bytes) {
  const ConstByteSpan sector = sub_span(bytes, 0, kFooterBytes);
  check_cookie(sector);
  Footer footer;
  footer.creator = creator_of(sector);
  footer.creator_version = load_be<std::uint32_t>(sector, kCreatorVersionAt);
  footer.hidden = sector[kHiddenAt] != std::byte{0};
  check_checksum(footer, sector);
  check_version(footer, sector);
  footer.type = checked_type(load_be<std::uint32_t>(sector, kTypeAt));
  footer.size_bytes = load_be<std::uint64_t>(sector, kSizeAt);
  check_size(footer.size_bytes);
  if (footer.type != DiskType::kFixed) {
    footer.header_offset = load_be<std::uint64_t>(sector, kHeaderOffsetAt);
    check_header_offset(footer.header_offset);
  }
  footer.uuid = load_uuid(sector, kUuidAt);
  return footer;
}

std::optional<FooterChoice> choose_footer(ConstByteSpan first, ConstByteSpan last) {
  const Place start = look_at(first, "copy at the start");
  const Place end = look_at(last, "at the end");
  // A fixed image has no copy: whatever is at its start was written by its guest.
  const Footer* copy = start.footer ? &*start.footer : nullptr;
  if (copy != nullptr && copy->type == DiskType::kFixed) copy = nullptr;
  const Footer* chosen = end.footer ? &*end.footer : copy;

  if (copy != nullptr && end.footer && end.footer->type == DiskType::kFixed) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("the LV begins as a VHD of {} bytes and ends as a fixed one of {}: one "
                            "of the two is left from another image, or a guest wrote it",
                            copy->size_bytes, end.footer->size_bytes));
  }
  FooterChoice choice;
  choice.in_use = is_killed(last);
  if (copy != nullptr && end.footer) {
    // Not a torn update, but what a removed image left where this LV ends now: an update never
    // changes the uuid, and what stands at the start has not moved.
    const bool stale = end.footer->uuid != copy->uuid;
    if (stale) chosen = copy;
    choice.copies_differ =
        stale || end.footer->size_bytes != copy->size_bytes || end.footer->hidden != copy->hidden;
  }
  if (chosen != nullptr) {
    choice.footer = *chosen;
    choice.at_end = chosen != copy;
    return choice;
  }
  if (end.error) throw Error(*end.error);
  if (start.error) throw Error(*start.error);
  return std::nullopt;
}

std::optional<Footer> find_fixed_footer(ConstByteSpan tail, std::uint64_t tail_offset) {
  for (std::uint64_t at = align_down<std::uint64_t>(tail.size(), kSectorBytes); at > 0;) {
    at -= kSectorBytes;
    const ConstByteSpan sector = tail.subspan(at, kSectorBytes);
    if (!begins_with(sector, kCookie)) continue;
    try {
      Footer footer = parse_footer(sector);
      // Else it is some image's footer among the data of another.
      if (footer.type == DiskType::kFixed && footer.size_bytes == tail_offset + at) return footer;
    } catch (const Error&) {
      continue;
    }
  }
  return std::nullopt;
}

}  // namespace lunfs::vhd

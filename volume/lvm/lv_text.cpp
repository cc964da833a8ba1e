#include "volume/lvm/lv_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "volume/lvm/names.h"
#include "volume/lvm/segment_type.h"

namespace lunfs::lvm {

namespace {

constexpr std::uint32_t kMaxStripes = 128;
constexpr std::uint64_t kExtentNumbers = 1ULL << 32;

bool contains(const std::vector<std::string_view>& words, std::string_view word) noexcept {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Collects what a segment takes and names, whatever its type and however damaged.
void collect_use(const TextSection& segment, const VgFacts& facts, LvDraft& draft) {
  std::string_view type;
  for (const TextField& field : segment.fields()) {
    if (field.key != "type" || field.values.empty()) continue;
    if (const auto* text = std::get_if<std::string_view>(&field.values[0])) type = *text;
  }
  const std::uint64_t extents = std::min(segment.number_or("extent_count", 0), kExtentNumbers);
  // Only of "striped" is it known that an area is a part of the segment's extents.
  const std::uint64_t areas =
      type == kMappedType ? std::max<std::uint64_t>(1, segment.number_or("stripe_count", 1)) : 1;
  for (const TextField& field : segment.fields()) {
    for (std::size_t i = 0; i < field.values.size(); ++i) {
      const auto* word = std::get_if<std::string_view>(&field.values[i]);
      if (word == nullptr) continue;
      const auto* place =
          i + 1 < field.values.size() ? std::get_if<std::int64_t>(&field.values[i + 1]) : nullptr;
      if (*word == facts.pv_name && place != nullptr) {
        const auto first = static_cast<std::uint64_t>(std::max<std::int64_t>(0, *place));
        draft.runs.push_back({segment.name(), std::min(first, kExtentNumbers), extents / areas});
      } else if (facts.lv_names.contains(*word) && may_name_lv(type, field.key)) {
        draft.names.push_back({*word, field.key});
      }
    }
  }
}

/// Throws if the run of extents leaves the PV or the LUN, or lies on its metadata.
void check_run(std::uint64_t first, std::uint64_t count, const VgFacts& facts) {
  if (!range_fits(first, count, facts.pe_count)) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("reaches beyond the PV: physical extents {} to {} of {}", first,
                            first + count - 1, facts.pe_count));
  }
  const std::uint64_t begin =
      checked_add(facts.pe_start_bytes, first * facts.extent_bytes, "LUN offset");
  const std::uint64_t end = checked_add(begin, count * facts.extent_bytes, "LUN offset");
  if (end > facts.lun_bytes) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("reaches beyond the LUN: bytes {} to {}, the LUN has {}", begin, end,
                            facts.lun_bytes));
  }
  for (const DiskArea& area : facts.reserved) {
    if (begin < area.offset + area.size && area.offset < end) {
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("bytes {} to {} lie on the PV's label or metadata area at {}", begin,
                              end, area.offset));
    }
  }
}

std::uint32_t first_extent(const TextValue& name, const TextValue& place, const VgFacts& facts) {
  const auto* word = std::get_if<std::string_view>(&name);
  const auto* number = std::get_if<std::int64_t>(&place);
  if (word == nullptr || number == nullptr) {
    throw Error(ErrorKind::kCorrupt, "stripes is not a list of pairs (\"pv\", extent)");
  }
  if (*word != facts.pv_name) {
    const bool is_lv = facts.lv_names.contains(*word);
    throw Error(
        is_lv ? ErrorKind::kUnsupported : ErrorKind::kCorrupt,
        fmt::format("{} {}", is_lv ? "lies on LV" : "names an unknown PV", printable(*word)));
  }
  return checked_cast<std::uint32_t>(*number, "physical extent");
}

Segment read_segment(const TextSection& section, const VgFacts& facts) {
  section.check_no_duplicates();
  const std::string refusal = refusal_of_type(section.text("type"));
  if (!refusal.empty()) throw Error(ErrorKind::kUnsupported, refusal);
  Segment segment;
  segment.start_le = section.number32("start_extent");
  segment.extent_count = section.number32("extent_count");
  const auto stripe_count = static_cast<std::uint32_t>(section.number("stripe_count", kMaxStripes));
  const std::vector<TextValue> stripes = section.values("stripes");
  if (stripe_count == 0 || stripes.size() != 2 * std::size_t{stripe_count}) {
    throw Error(ErrorKind::kCorrupt, fmt::format("stripe_count is {}, but stripes has {} values",
                                                 stripe_count, stripes.size()));
  }
  if (stripe_count > 1) segment.stripe_size_sectors = section.number32("stripe_size");
  for (std::size_t i = 0; i < stripes.size(); i += 2) {
    segment.stripes.push_back({first_extent(stripes[i], stripes[i + 1], facts)});
  }
  if (segment.extent_count == 0) throw Error(ErrorKind::kCorrupt, "extent_count is 0");
  if (segment.extent_count % stripe_count != 0) {
    throw Error(ErrorKind::kCorrupt, fmt::format("{} extents cannot be divided among {} stripes",
                                                 segment.extent_count, stripe_count));
  }
  for (const Segment::Stripe& stripe : segment.stripes) {
    check_run(stripe.first_pe, segment.extent_count / stripe_count, facts);
  }
  return segment;
}

SegmentMap read_map(const TextSection& lv, const VgFacts& facts) {
  const std::vector<TextSection> sections = lv.sections();
  std::vector<Segment> segments;
  for (const TextSection& section : sections) {
    try {
      segments.push_back(read_segment(section, facts));
    } catch (Error& error) {
      error.add_context(printable(section.name()));
      throw;
    }
  }
  const std::uint32_t count = lv.number32("segment_count");
  if (count != sections.size()) {
    throw Error(ErrorKind::kCorrupt, fmt::format("segment_count is {}, but there are {} segments",
                                                 count, sections.size()));
  }
  std::sort(segments.begin(), segments.end(),
            [](const Segment& a, const Segment& b) { return a.start_le < b.start_le; });
  return {facts.pe_start_bytes, facts.extent_bytes, std::move(segments)};
}

/// Throws if the LV's status or flags say that its extents are not simply its content.
void check_status(const std::vector<std::string_view>& status,
                  const std::vector<std::string_view>& flags) {
  constexpr std::array<std::string_view, 9> kKnown{"READ",      "WRITE",   "FIXED_MINOR",
                                                   "VISIBLE",   "PVMOVE",  "LOCKED",
                                                   "NOTSYNCED", "REBUILD", "WRITEMOSTLY"};
  for (const std::string_view word : status) {
    if (word == "PVMOVE" || word == "LOCKED") {
      throw Error(ErrorKind::kUnsupported,
                  fmt::format("status {}: its extents are being moved", word));
    }
    if (std::find(kKnown.begin(), kKnown.end(), word) == kKnown.end()) {
      throw Error(ErrorKind::kUnsupported,
                  fmt::format("status \"{}\" is unknown", printable(word)));
    }
  }
  if (contains(flags, "CACHE_VOL")) {
    throw Error(ErrorKind::kUnsupported, "flag CACHE_VOL: it is the cache of another LV");
  }
}

/// Fills in everything but the name; throws at the first defect, the map being the last thing set.
void read_fields(const TextSection& section, const VgFacts& facts, LogicalVolume& lv) {
  if (!is_valid_name(section.name())) {
    throw Error(ErrorKind::kCorrupt, "its name breaks the rules for names");
  }
  section.check_no_duplicates();
  const std::string_view uuid = section.text("id");
  lv.uuid = LvmUuid::parse(uuid);
  if (!lv.uuid) {
    throw Error(ErrorKind::kCorrupt, fmt::format("id \"{}\" is not an LVM uuid", printable(uuid)));
  }
  const std::vector<std::string_view> status = section.words("status");
  const std::vector<std::string_view> flags = section.optional_words("flags");
  lv.visible = contains(status, "VISIBLE");
  lv.writable = contains(status, "WRITE") || contains(flags, "WRITE_LOCKED");
  for (const std::string_view tag : section.optional_words("tags")) {
    // A tag that lvm2 would not take means nothing to anybody, and could spoil what shows it.
    if (is_valid_tag(tag)) lv.tags.emplace_back(tag);
  }
  SegmentMap map = read_map(section, facts);
  check_status(status, flags);
  lv.size_bytes = map.size_bytes();
  lv.map = std::make_shared<const SegmentMap>(std::move(map));
}

}  // namespace

LvDraft read_lv(const TextSection& section, const VgFacts& facts) {
  LvDraft draft;
  draft.lv.name = is_valid_name(section.name()) ? section.name() : printable(section.name());
  std::uint64_t extents = 0;
  for (const TextSection& segment : section.sections()) {
    collect_use(segment, facts, draft);
    extents += std::min(segment.number_or("extent_count", 0), kExtentNumbers);
  }
  draft.lv.size_bytes = extents * facts.extent_bytes;
  try {
    read_fields(section, facts, draft.lv);
  } catch (const Error& error) {
    unmap(draft.lv, error.message());
  }
  return draft;
}

void unmap(LogicalVolume& lv, std::string reason) {
  lv.map = nullptr;
  if (lv.unmapped_reason.empty()) lv.unmapped_reason = std::move(reason);
}

}  // namespace lunfs::lvm

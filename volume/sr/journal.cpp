#include "volume/sr/journal.h"

#include <algorithm>
#include <charconv>

#include "volume/sr/lv_name.h"

namespace lunfs::sr {

namespace {

// Only these two have values too long for a name; a "1" in the others' names is their value.
constexpr std::string_view kClone = "clone";
constexpr std::string_view kLeaf = "leaf";
constexpr std::string_view kValueInPayload = "1";

}  // namespace

std::string_view parse_journal_payload(ConstByteSpan sector) noexcept {
  const std::string_view text = as_text(sector);
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc{} || end == text.data() + text.size() || *end != ' ') return {};
  const std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()) + 1);
  return length <= rest.size() ? rest.substr(0, length) : std::string_view{};
}

std::vector<Uuid> uuids_of_journal_value(std::string_view value) {
  std::vector<Uuid> uuids;
  while (!value.empty()) {
    const std::string_view part = value.substr(0, value.find('_'));
    if (const auto uuid = Uuid::parse(part)) uuids.push_back(*uuid);
    value.remove_prefix(std::min(value.size(), part.size() + 1));
  }
  return uuids;
}

VdisInTransition vdis_in_transition(const lvm::VolumeGroup& vg,
                                    const std::map<std::string, std::string>& values) {
  VdisInTransition result;
  for (const lvm::LogicalVolume& lv : vg.volumes) {
    const LvName name = classify_lv(lv.name, lv.tags);
    if (name.kind != LvKind::kJournal) continue;
    const JournalMention mention{lv.name, std::string(name.journal_type)};
    if (name.vdi) result[*name.vdi].push_back(mention);
    const auto payload = values.find(lv.name);
    const std::string_view value =
        payload == values.end() ? name.journal_value : std::string_view(payload->second);
    for (const Uuid& uuid : uuids_of_journal_value(value)) result[uuid].push_back(mention);
  }
  return result;
}

bool has_payload(const lvm::LogicalVolume& lv) noexcept {
  const LvName name = classify_lv(lv.name, lv.tags);
  return name.kind == LvKind::kJournal &&
         (name.journal_type == kClone || name.journal_type == kLeaf) &&
         name.journal_value == kValueInPayload;
}

}  // namespace lunfs::sr

#include "volume/sr/lv_name.h"

#include <algorithm>
#include <array>
#include <utility>

namespace lunfs::sr {

namespace {

constexpr std::string_view kMetadataName = "MGT";
constexpr std::string_view kTemporaryMark = "OLD_";
constexpr std::string_view kChangedBlockLogSuffix = ".cbtlog";
constexpr std::string_view kResizeJournalType = "jvhd";
constexpr char kJournalSeparator = '_';

constexpr std::string_view kHiddenTag = "hidden";
constexpr std::string_view kJournalTag = "journaler";
constexpr std::string_view kResizeJournalTag = "jvhd";
constexpr std::string_view kChangedBlockLogTag = "cbtlog";

constexpr std::array kVdiPrefixes = {
    std::pair{std::string_view{"LV-"}, LvKind::kRawVdi},
    std::pair{std::string_view{"VHD-"}, LvKind::kVhdVdi},
    std::pair{std::string_view{"QCOW2-"}, LvKind::kQcow2Vdi},
};

constexpr std::array<std::string_view, 6> kJournalTypes = {"clone",  "leaf",     "inflate",
                                                           "relink", "coalesce", "zero"};

bool has_tag(std::span<const std::string> tags, std::string_view tag) noexcept {
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

std::optional<LvName> as_vdi(std::string_view name) noexcept {
  for (const auto& [prefix, kind] : kVdiPrefixes) {
    if (!name.starts_with(prefix)) continue;
    const std::string_view rest = name.substr(prefix.size());
    if (rest.starts_with(kTemporaryMark)) {
      return LvName{LvKind::kTemporary, Uuid::parse(rest.substr(kTemporaryMark.size())), {}, {}};
    }
    const std::optional<Uuid> uuid = Uuid::parse(rest);
    return LvName{uuid ? kind : LvKind::kForeign, uuid, {}, {}};
  }
  return std::nullopt;
}

std::optional<LvName> as_changed_block_log(std::string_view name,
                                           std::span<const std::string> tags) noexcept {
  std::optional<Uuid> vdi;
  if (name.ends_with(kChangedBlockLogSuffix)) {
    vdi = Uuid::parse(name.substr(0, name.size() - kChangedBlockLogSuffix.size()));
  }
  if (!vdi && !has_tag(tags, kChangedBlockLogTag)) return std::nullopt;
  return LvName{LvKind::kChangedBlockLog, vdi, {}, {}};
}

std::optional<LvName> as_journal(std::string_view name,
                                 std::span<const std::string> tags) noexcept {
  // Split at the first two separators only: a value may contain more of them.
  const std::size_t first = name.find(kJournalSeparator);
  const std::string_view type = name.substr(0, first);
  const std::string_view rest =
      first == std::string_view::npos ? std::string_view{} : name.substr(first + 1);
  const std::size_t second = rest.find(kJournalSeparator);
  const std::string_view value =
      second == std::string_view::npos ? std::string_view{} : rest.substr(second + 1);
  const LvName journal{LvKind::kJournal, Uuid::parse(rest.substr(0, second)), type, value};

  const bool known =
      type == kResizeJournalType ||
      std::find(kJournalTypes.begin(), kJournalTypes.end(), type) != kJournalTypes.end();
  const bool tagged = has_tag(tags, kJournalTag) || has_tag(tags, kResizeJournalTag);
  if (tagged || (known && journal.vdi)) return journal;
  return std::nullopt;
}

}  // namespace

bool is_xenserver_vg(std::string_view vg_name) noexcept { return vg_name.starts_with(kVgPrefix); }

std::optional<Uuid> sr_uuid_of_vg(std::string_view vg_name) noexcept {
  if (!is_xenserver_vg(vg_name)) return std::nullopt;
  return Uuid::parse(vg_name.substr(kVgPrefix.size()));
}

LvName classify_lv(std::string_view name, std::span<const std::string> tags) noexcept {
  if (name == kMetadataName) return {LvKind::kMetadata, std::nullopt, {}, {}};
  if (const auto vdi = as_vdi(name)) return *vdi;
  if (const auto log = as_changed_block_log(name, tags)) return *log;
  if (const auto journal = as_journal(name, tags)) return *journal;
  return {};
}

bool has_hidden_tag(std::span<const std::string> tags) noexcept {
  return has_tag(tags, kHiddenTag);
}

}  // namespace lunfs::sr

#include "volume/lvm/vg_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "volume/lvm/lv_relations.h"
#include "volume/lvm/lv_text.h"
#include "volume/lvm/names.h"
#include "volume/lvm/write_rules.h"

namespace lunfs::lvm {

namespace {

constexpr std::string_view kContents = "Text Format Volume Group";
constexpr std::string_view kFormat = "lvm2";
constexpr std::uint64_t kMaxSectors = std::numeric_limits<std::uint64_t>::max() / kSectorBytes;

TextSection vg_section(const TextTree& text) {
  const std::vector<TextSection> sections = text.sections();
  if (sections.empty()) throw Error(ErrorKind::kCorrupt, "the metadata text has no VG section");
  if (!is_valid_name(sections[0].name())) {
    throw Error(ErrorKind::kCorrupt, fmt::format("\"{}\" breaks the rules for a VG's name",
                                                 printable(sections[0].name())));
  }
  return sections[0];
}

/// The trailer that every text has behind the VG; without it the text was cut short there.
void check_trailer(const TextTree& text) {
  const std::string_view contents = text.top_text("contents").value_or("");
  if (contents != kContents) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("contents is \"{}\", expected \"{}\"", printable(contents), kContents));
  }
  const std::int64_t version = text.top_number("version").value_or(-1);
  if (version != 1) {
    throw Error(ErrorKind::kUnsupported,
                fmt::format("the text's version is {}, expected 1", version));
  }
}

LvmUuid uuid_of(const TextSection& section) {
  const std::string_view text = section.text("id");
  const std::optional<LvmUuid> uuid = LvmUuid::parse(text);
  if (!uuid) {
    throw Error(ErrorKind::kCorrupt, fmt::format("id \"{}\" is not an LVM uuid", printable(text)));
  }
  return *uuid;
}

[[noreturn]] void refuse_several_pvs(const std::vector<TextSection>& pvs, const LvmUuid& own) {
  std::vector<std::string> missing;
  for (const TextSection& pv : pvs) {
    const LvmUuid uuid = uuid_of(pv);
    if (uuid == own) continue;
    missing.push_back(
        fmt::format("{} (last seen as {})", uuid.text(),
                    printable(pv.optional_text("device").value_or("an unknown device"))));
  }
  throw Error(ErrorKind::kUnsupported,
              fmt::format("the VG lies on {} PVs and this LUN holds only {}; missing: {}",
                          pvs.size(), own.text(), fmt::join(missing, ", ")))
      .because("lunfs reads VGs that lie on one LUN; a XenServer SR always does")
      .advise("move the LVs to one PV with pvmove(8) and vgreduce(8), or mount the VG with lvm2");
}

/// The section of the one PV, which is the label's.
TextSection pv_section(const TextSection& vg, const LvmUuid& own) {
  const std::optional<TextSection> section = vg.section("physical_volumes");
  if (!section) throw Error(ErrorKind::kCorrupt, "physical_volumes is missing");
  section->check_no_duplicates();
  const std::vector<TextSection> pvs = section->sections();
  if (pvs.empty()) throw Error(ErrorKind::kCorrupt, "physical_volumes has no PV");
  if (pvs.size() > 1) refuse_several_pvs(pvs, own);
  pvs[0].check_no_duplicates();
  const LvmUuid uuid = uuid_of(pvs[0]);
  if (uuid != own) {
    throw Error(ErrorKind::kCorrupt, fmt::format("the VG's PV is {}, but this LUN's label says {}",
                                                 uuid.text(), own.text()));
  }
  return pvs[0];
}

void read_pv(const TextSection& pv, const PvFacts& facts, VolumeGroup& vg) {
  vg.pv_uuid = facts.uuid;
  vg.pe_start_bytes = pv.number("pe_start", kMaxSectors) * kSectorBytes;
  vg.extent_count = pv.number32("pe_count");
  const std::uint64_t needed = checked_add(
      vg.pe_start_bytes, checked_mul(vg.extent_count, vg.extent_bytes, "PV's size"), "PV's size");
  if (needed > facts.lun_bytes) {
    vg.warnings.push_back(
        fmt::format("the LUN is shorter than its VG: {} bytes, the extents reach to {}",
                    facts.lun_bytes, needed));
    return;
  }
  const std::uint64_t device_sectors = pv.number_or("dev_size", 0);
  if (device_sectors > facts.lun_bytes / kSectorBytes) {
    vg.warnings.push_back(fmt::format("dev_size is {} sectors, but the LUN has {}", device_sectors,
                                      facts.lun_bytes / kSectorBytes));
  }
}

void read_lvs(const TextSection& section, const PvFacts& pv, std::string_view pv_name,
              VolumeGroup& vg) {
  std::vector<LvDraft> drafts;
  // lvm2 leaves the section out when there is no LV.
  if (const auto lvs = section.section("logical_volumes")) {
    VgFacts facts{.pv_name = pv_name,
                  .extent_bytes = vg.extent_bytes,
                  .pe_start_bytes = vg.pe_start_bytes,
                  .pe_count = vg.extent_count,
                  .lun_bytes = pv.lun_bytes,
                  .reserved = pv.reserved,
                  .lv_names = {}};
    const std::vector<TextSection> sections = lvs->sections();
    for (const TextSection& lv : sections) facts.lv_names.insert(lv.name());
    for (const TextSection& lv : sections) drafts.push_back(read_lv(lv, facts));
  }
  check_relations(drafts);
  vg.free_extent_count = free_extents(drafts, vg.extent_count);
  for (LvDraft& draft : drafts) vg.volumes.push_back(std::move(draft.lv));
}

VolumeGroup read_vg(const TextSection& section, const PvFacts& pv) {
  section.check_no_duplicates();
  VolumeGroup vg;
  vg.name = section.name();
  vg.uuid = uuid_of(section);
  vg.header.seqno = section.number32("seqno");
  const std::string_view format = section.optional_text("format").value_or(kFormat);
  if (format != kFormat) {
    throw Error(ErrorKind::kUnsupported,
                fmt::format("format is \"{}\", expected \"{}\"", printable(format), kFormat));
  }
  const std::uint64_t extent_sectors = section.number32("extent_size");
  if (extent_sectors == 0) throw Error(ErrorKind::kCorrupt, "extent_size is 0");
  vg.extent_bytes = extent_sectors * kSectorBytes;
  const TextSection pv_text = pv_section(section, pv.uuid);
  read_pv(pv_text, pv, vg);
  vg.write_refusals = write_refusals(section, pv_text);
  read_lvs(section, pv, pv_text.name(), vg);
  return vg;
}

}  // namespace

std::uint32_t seqno_of(const TextTree& text) { return vg_section(text).number32("seqno"); }

VolumeGroup to_volume_group(const TextTree& text, const PvFacts& pv) {
  const TextSection section = vg_section(text);
  check_trailer(text);
  try {
    return read_vg(section, pv);
  } catch (Error& error) {
    error.add_context(fmt::format("VG {}", section.name()));
    throw;
  }
}

}  // namespace lunfs::lvm

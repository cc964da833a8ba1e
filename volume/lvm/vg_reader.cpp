#include "volume/lvm/vg_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/checked.h"
#include "base/error.h"
#include "volume/lvm/label.h"
#include "volume/lvm/metadata_area.h"
#include "volume/lvm/text_tree.h"
#include "volume/lvm/vg_text.h"

namespace lunfs::lvm {

namespace {

/// Another host rewrites header and text within milliseconds, so a mismatch that outlives these is
/// damage.
constexpr int kAttempts = 5;
constexpr std::chrono::milliseconds kPause{100};

constexpr std::string_view kRepairHint =
    "pvck(8) of lvm2 shows what is left (--dump metadata_search) and repairs (--repair); save the "
    "LUN's first MiB before";

/// Of a mismatch: when this is said, it has outlived any update by another host.
constexpr std::string_view kDamageCause =
    "something else than LVM wrote there, or the storage lost or damaged a write";

/// Says why and what next, where the parser could not; of other kinds only the latter.
void explain(Error& error) {
  if (error.kind() == ErrorKind::kCorrupt) error.set_cause(std::string(kDamageCause));
  error.set_remedy(std::string(kRepairHint));
}

/// What the metadata areas of a PV hold together.
struct PvContent {
  PvLabel label;
  std::optional<TextTree> newest{};
  HeaderTriple triple{};  ///< the newest text's
  std::size_t empty = 0;
  std::optional<Error> first_error{};
  std::vector<std::string> warnings{};
  std::vector<std::string> write_refusals{};  ///< the areas leave open what the newest state is
  std::vector<HeaderMark> marks{};
};

using Bytes = std::vector<std::byte>;

Task<Bytes> read_bytes(RequestContext& context, BlockDevice& device, DiskArea area) {
  Bytes bytes(area.size);
  co_await device.read(context, area.offset, bytes);
  co_return bytes;
}

Task<PvLabel> read_label_once(RequestContext& context, BlockDevice& device) {
  const std::uint64_t size = device.geometry().size_bytes;
  if (size < kLabelScanBytes) {
    throw Error(ErrorKind::kNotFound,
                fmt::format("not a PV: it has {} bytes, a label needs {}", size, kLabelScanBytes))
        .because("the LUN or its image was cut, or it is another one")
        .advise("check that this is the right LUN");
  }
  const Bytes bytes = co_await read_bytes(context, device, {0, kLabelScanBytes});
  co_return parse_label(bytes);
}

Task<Bytes> read_text(RequestContext& context, BlockDevice& device, const AreaHeader& header) {
  Bytes text;
  for (const DiskArea& run : text_runs(header)) {
    const Bytes part = co_await read_bytes(context, device, run);
    text.insert(text.end(), part.begin(), part.end());
  }
  co_return text;
}

/// Header and text; the checksums are right when it returns. The text is not parsed yet, as a bad
/// one with a good checksum would be no better a moment later.
struct RawArea {
  AreaHeader header;
  Bytes sector;  ///< the header's
  std::string text;
};

Task<RawArea> read_area_once(RequestContext& context, BlockDevice& device, DiskArea area) {
  const std::uint64_t size = device.geometry().size_bytes;
  if (!range_fits(area.offset, kAreaHeaderBytes, size)) {
    throw Error(ErrorKind::kCorrupt, fmt::format("it begins beyond the LUN's end at {}", size))
        .because("the LUN or its image was cut");
  }
  Bytes sector = co_await read_bytes(context, device, {area.offset, kAreaHeaderBytes});
  RawArea raw{parse_area_header(sector, area, size), {}, {}};
  raw.sector = std::move(sector);
  if (raw.header.committed) {
    const Bytes text = co_await read_text(context, device, raw.header);
    raw.text = checked_text(text, *raw.header.committed);
  }
  co_return raw;
}

/// Awaits attempt(arguments...) until its result is not corrupt, kAttempts times at most.
template <typename T, typename... Arguments>
Task<T> with_patience(RequestContext& context, Reactor& reactor, Task<T> (*attempt)(Arguments...),
                      std::type_identity_t<Arguments>... arguments) {
  for (int left = kAttempts - 1;; --left) {
    const auto next = RequestContext::Clock::now() + kPause;
    try {
      co_return co_await attempt(arguments...);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kCorrupt || left == 0 || next >= context.deadline) throw;
    }
    co_await reactor.sleep_until(context, next);
  }
}

/// Takes the area's text if it is newer than what is there.
void merge(PvContent& content, const RawArea& raw) {
  content.warnings.insert(content.warnings.end(), raw.header.warnings.begin(),
                          raw.header.warnings.end());
  if (!raw.header.committed) {
    if (!raw.header.ignored) ++content.empty;
    return;
  }
  TextTree tree = TextTree::parse(raw.text);
  const HeaderTriple triple{raw.header.committed->offset, raw.header.committed->crc,
                            seqno_of(tree)};
  if (content.newest && triple.seqno != content.triple.seqno) {
    content.warnings.push_back(
        fmt::format("the metadata areas differ: seqno {} and {}, the higher one counts",
                    content.triple.seqno, triple.seqno));
  } else if (content.newest && triple.text_crc != content.triple.text_crc) {
    content.write_refusals.push_back(fmt::format(
        "two metadata areas hold different texts with the same seqno {}", triple.seqno));
  }
  if (content.newest && triple.seqno <= content.triple.seqno) return;
  content.newest = std::move(tree);
  content.triple = triple;
}

/// True for what costs one area only; anything else (no session, a deadline) is the caller's.
bool costs_one_area(const Error& error) noexcept {
  return error.kind() == ErrorKind::kCorrupt || error.kind() == ErrorKind::kUnsupported ||
         error.kind() == ErrorKind::kIo;
}

Task<void> read_area(RequestContext& context, BlockDevice& device, Reactor& reactor, DiskArea area,
                     PvContent& content) {
  try {
    const RawArea raw =
        co_await with_patience(context, reactor, read_area_once, context, device, area);
    content.marks.push_back({area.offset, raw.sector});
    merge(content, raw);
  } catch (Error& error) {
    if (!costs_one_area(error)) throw;
    error.add_context(fmt::format("metadata area at {}", area.offset));
    content.warnings.push_back(error.message());
    content.write_refusals.push_back(
        fmt::format("a metadata area is damaged and may have held a newer VG ({}); vgck "
                    "--updatemetadata (lvm2) repairs it",
                    error.message()));
    explain(error);
    if (!content.first_error) content.first_error = error;
  }
}

[[noreturn]] void throw_no_text(const PvContent& content) {
  if (content.first_error) throw Error(*content.first_error);
  const std::string uuid = content.label.pv_uuid.text();
  if (content.empty == 0) {
    throw Error(ErrorKind::kUnsupported, fmt::format("PV {} keeps no metadata: {}", uuid,
                                                     content.label.metadata_areas.empty()
                                                         ? "it has no metadata area"
                                                         : "its metadata areas are marked ignored"))
        .because("its VG keeps them on another PV; lunfs reads VGs that lie on one LUN")
        .advise(
            "look with pvs -o +pv_mda_used_count (lvm2); pvchange --metadataignore n turns a "
            "PV's metadata on");
  }
  throw Error(ErrorKind::kNotFound,
              fmt::format("PV {} has no VG{}", uuid,
                          content.label.in_use ? ", although its label says that one uses it" : ""))
      .because("no VG was made on it yet, it was taken out of its VG, or it is another LUN")
      .advise("make a VG with vgcreate(8), or give the LUN that holds one");
}

Task<PvContent> read_pv_content(RequestContext& context, BlockDevice& device, Reactor& reactor) {
  PvLabel label = co_await with_patience(context, reactor, read_label_once, context, device);
  PvContent content{.label = std::move(label)};
  content.warnings = content.label.warnings;
  for (const DiskArea& area : content.label.metadata_areas) {
    co_await read_area(context, device, reactor, area, content);
  }
  if (!content.newest) throw_no_text(content);
  co_return content;
}

VolumeGroup group_of(const TextTree& text, const PvFacts& facts) {
  try {
    return to_volume_group(text, facts);
  } catch (Error& error) {
    if (error.kind() == ErrorKind::kCorrupt) explain(error);
    throw;
  }
}

/// Where LVM keeps its own: no LV may lie there, whatever the text says. Clipped to the LUN.
std::vector<DiskArea> reserved_areas(const PvLabel& label, std::uint64_t lun_bytes) {
  std::vector<DiskArea> reserved{{0, kLabelScanBytes}};
  for (const auto* areas : {&label.metadata_areas, &label.bootloader_areas}) {
    for (const DiskArea& area : *areas) {
      if (area.offset >= lun_bytes) continue;
      reserved.push_back({area.offset, std::min(area.size, lun_bytes - area.offset)});
    }
  }
  return reserved;
}

}  // namespace

Task<std::shared_ptr<const VolumeGroup>> read_volume_group(RequestContext& context,
                                                           BlockDevice& device, Reactor& reactor) {
  PvContent content = co_await read_pv_content(context, device, reactor);
  const std::uint64_t size = device.geometry().size_bytes;
  const PvFacts facts{content.label.pv_uuid, size, reserved_areas(content.label, size)};
  auto vg = std::make_shared<VolumeGroup>(group_of(*content.newest, facts));
  vg->header = content.triple;
  vg->header_marks = std::move(content.marks);
  vg->warnings.insert(vg->warnings.begin(), content.warnings.begin(), content.warnings.end());
  vg->write_refusals.insert(vg->write_refusals.end(), content.write_refusals.begin(),
                            content.write_refusals.end());
  co_return vg;
}

Task<bool> is_still_current(RequestContext& context, BlockDevice& device, const VolumeGroup& vg) {
  for (const HeaderMark& mark : vg.header_marks) {
    const Bytes sector = co_await read_bytes(context, device, {mark.offset, mark.sector.size()});
    if (sector != mark.sector) co_return false;
  }
  co_return true;
}

Task<HeaderTriple> read_header_triple(RequestContext& context, BlockDevice& device,
                                      Reactor& reactor) {
  const PvContent content = co_await read_pv_content(context, device, reactor);
  co_return content.triple;
}

}  // namespace lunfs::lvm

#include "volume/lvm/write_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <string_view>

#include "volume/lvm/names.h"

namespace lunfs::lvm {

namespace {

/// A word of a status list. Empty sentence = it does not hinder.
struct StatusRule {
  std::string_view word;
  std::string_view sentence;
};

constexpr std::array kVgStatus{
    StatusRule{"RESIZEABLE", ""},
    StatusRule{"READ", ""},
    StatusRule{"WRITE", ""},
    StatusRule{"PVMOVE", ""},
    StatusRule{"EXPORTED", "the VG is exported (vgimport(8) takes it back)"},
    StatusRule{"CLUSTERED", "the VG is clustered: other hosts use it"},
    StatusRule{"SHARED", "the VG is shared: other hosts use it"},
    StatusRule{"PARTIAL", "the VG is marked partial: PVs are missing"},
};

constexpr std::array kPvStatus{
    StatusRule{"ALLOCATABLE", ""},
    StatusRule{"EXPORTED", "the PV is exported (vgimport(8) takes it back)"},
    StatusRule{"MISSING", "the PV is marked missing: its content may be old"},
};

using Words = std::vector<std::string_view>;

bool contains(const Words& words, std::string_view word) noexcept {
  return std::find(words.begin(), words.end(), word) != words.end();
}

template <typename Rules>
void apply(const Rules& rules, const Words& status, std::string_view owner,
           std::vector<std::string>& refusals) {
  for (const std::string_view word : status) {
    const auto* rule = std::find_if(rules.begin(), rules.end(),
                                    [&](const StatusRule& each) { return each.word == word; });
    if (rule == rules.end()) {
      refusals.push_back(
          fmt::format("the {}'s status \"{}\" is unknown to lunfs", owner, printable(word)));
    } else if (!rule->sentence.empty()) {
      refusals.emplace_back(rule->sentence);
    }
  }
}

/// The marks by which lvm2 hosts tell whose a VG is.
void apply_ownership(const TextSection& vg, std::vector<std::string>& refusals) {
  const std::string_view system_id = vg.optional_text("system_id").value_or("");
  if (!system_id.empty()) {
    refusals.push_back(
        fmt::format("the VG belongs to the host with the system ID \"{}\"", printable(system_id)));
  }
  const std::string_view lock_type = vg.optional_text("lock_type").value_or("none");
  if (lock_type != "none") {
    refusals.push_back(fmt::format("the VG has the lock type \"{}\": its hosts use lvmlockd",
                                   printable(lock_type)));
  }
}

/// lvm2 makes no other sizes; whatever made this one may mean something else by it.
bool is_usual_extent_size(std::uint64_t sectors) noexcept {
  constexpr std::uint64_t kStepSectors = 256;  // 128 KiB
  return std::has_single_bit(sectors) || sectors % kStepSectors == 0;
}

}  // namespace

std::vector<std::string> write_refusals(const TextSection& vg, const TextSection& pv) {
  std::vector<std::string> refusals;
  const Words status = vg.words("status");
  apply(kVgStatus, status, "VG", refusals);
  if (!contains(status, "WRITE") && !contains(vg.optional_words("flags"), "WRITE_LOCKED")) {
    refusals.emplace_back("the VG is read-only (no WRITE in its status)");
  }
  apply_ownership(vg, refusals);
  apply(kPvStatus, pv.words("status"), "PV", refusals);
  if (contains(pv.optional_words("flags"), "MISSING")) {
    refusals.emplace_back("the PV is marked missing: its content may be old");
  }
  if (!is_usual_extent_size(vg.number32("extent_size"))) {
    refusals.push_back(fmt::format("the extent size of {} sectors is none that lvm2 makes",
                                   vg.number32("extent_size")));
  }
  if (vg.number32("seqno") == std::numeric_limits<std::uint32_t>::max()) {
    refusals.emplace_back("the VG's seqno has reached its end at 4294967295");
  }
  return refusals;
}

}  // namespace lunfs::lvm

#include "volume/lvm/lv_relations.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "volume/lvm/names.h"

namespace lunfs::lvm {

namespace {

struct OwnedRun {
  PeRun run;
  LvDraft* owner = nullptr;
};

std::string extents(const PeRun& run) {
  return fmt::format("{} (physical extents {} to {})", printable(run.segment), run.first,
                     run.first + run.count - 1);
}

std::vector<OwnedRun> sorted_runs(std::vector<LvDraft>& drafts) {
  std::vector<OwnedRun> runs;
  for (LvDraft& draft : drafts) {
    for (const PeRun& run : draft.runs) {
      if (run.count > 0) runs.push_back({run, &draft});
    }
  }
  std::stable_sort(runs.begin(), runs.end(),
                   [](const OwnedRun& a, const OwnedRun& b) { return a.run.first < b.run.first; });
  return runs;
}

/// One pass by first extent: whoever starts before the furthest end so far shares extents with the
/// run that reaches there. Each run of an overlapping pair is caught at its own start or at the
/// next one's, so no LV concerned is missed.
void unmap_overlapping(std::vector<LvDraft>& drafts) {
  const std::vector<OwnedRun> runs = sorted_runs(drafts);
  const OwnedRun* furthest = nullptr;
  for (const OwnedRun& each : runs) {
    if (furthest != nullptr && each.run.first < furthest->run.first + furthest->run.count) {
      const auto reason = [](const OwnedRun& own, const OwnedRun& other) {
        return fmt::format("{} overlaps {} of LV {}", extents(own.run), extents(other.run),
                           other.owner->lv.name);
      };
      unmap(each.owner->lv, reason(each, *furthest));
      unmap(furthest->owner->lv, reason(*furthest, each));
    }
    if (furthest == nullptr ||
        each.run.first + each.run.count > furthest->run.first + furthest->run.count) {
      furthest = &each;
    }
  }
}

void unmap_named(std::vector<LvDraft>& drafts) {
  std::unordered_map<std::string_view, std::pair<const LvDraft*, NamedLv>> users;
  for (const LvDraft& draft : drafts) {
    for (const NamedLv& named : draft.names) users.try_emplace(named.name, &draft, named);
  }
  for (LvDraft& draft : drafts) {
    const auto user = users.find(draft.lv.name);
    if (user == users.end()) continue;
    unmap(draft.lv, fmt::format("LV {} is built on it ({})", user->second.first->lv.name,
                                user->second.second.key));
  }
}

void unmap_doubles(std::vector<LvDraft>& drafts) {
  std::unordered_map<std::string_view, int> names;
  std::map<LvmUuid, std::vector<LvDraft*>> uuids;
  for (LvDraft& draft : drafts) {
    ++names[draft.lv.name];
    if (draft.lv.uuid) uuids[*draft.lv.uuid].push_back(&draft);
  }
  for (LvDraft& draft : drafts) {
    if (names[draft.lv.name] > 1) unmap(draft.lv, "another LV has the same name");
  }
  for (const auto& [uuid, owners] : uuids) {
    if (owners.size() < 2) continue;
    for (LvDraft* const owner : owners) {
      const LvDraft* other = owner == owners[0] ? owners[1] : owners[0];
      unmap(owner->lv, fmt::format("LV {} has the same uuid {}", other->lv.name, uuid.text()));
    }
  }
}

}  // namespace

void check_relations(std::vector<LvDraft>& drafts) {
  unmap_doubles(drafts);
  unmap_named(drafts);
  unmap_overlapping(drafts);
}

std::uint64_t free_extents(const std::vector<LvDraft>& drafts, std::uint64_t pe_count) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> runs;
  for (const LvDraft& draft : drafts) {
    for (const PeRun& run : draft.runs) {
      runs.emplace_back(std::min(run.first, pe_count), std::min(run.first + run.count, pe_count));
    }
  }
  std::sort(runs.begin(), runs.end());
  std::uint64_t free = 0;
  std::uint64_t used_up_to = 0;
  for (const auto& [begin, end] : runs) {
    if (begin > used_up_to) free += begin - used_up_to;
    used_up_to = std::max(used_up_to, end);
  }
  return free + (pe_count - used_up_to);
}

}  // namespace lunfs::lvm

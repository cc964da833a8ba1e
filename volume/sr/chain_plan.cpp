#include "volume/sr/chain_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "volume/sr/lv_name.h"

namespace lunfs::sr {

namespace {

// While these are there, what a chain that has the VDI inside tells is the same at every moment: a
// coalesce copies into the parent what the parent's only child holds anyway, and its children are
// pointed to the parent when all of it is there; an LV that grows leaves the image as it is.
constexpr std::array<std::string_view, 3> kHarmlessInside = {"coalesce", "relink", "inflate"};

bool hinders(const JournalMention& journal, bool inside) {
  if (!inside) return true;
  return std::find(kHarmlessInside.begin(), kHarmlessInside.end(), journal.type) ==
         kHarmlessInside.end();
}

/// What the header calls the parent, for a text.
std::string stored_name(const VhdHead& head) {
  std::string name = vhd::lv_name_of_parent(head.image->header.parent_name);
  if (name.empty() && !head.parent_names.empty()) name = head.parent_names.front();
  return name;
}

}  // namespace

std::vector<std::string> ChainPlan::members() const {
  std::vector<std::string> all = images;
  if (!raw_base.empty()) all.push_back(raw_base);
  return all;
}

std::string ChainPlan::parent() const {
  const std::vector<std::string> all = members();
  return all.size() > 1 ? all[1] : std::string();
}

/// One chain from its leaf down.
class ChainPlanner::Walk {
 public:
  Walk(const ChainPlanner& planner, std::string_view leaf) : planner_(planner), at_(leaf) {}

  ChainPlan run() {
    while (step()) {
    }
    return std::move(plan_);
  }

 private:
  /// Takes the LV `at_` into the plan. False at the end, good or bad.
  bool step() {
    const lvm::LogicalVolume* lv = planner_.find(at_);
    if (lv == nullptr) return fail("the VG has no such LV");
    if (lv->map == nullptr) {
      return fail(lv->unmapped_reason.empty() ? "not mapped" : lv->unmapped_reason);
    }
    const LvName name = classify_lv(lv->name, lv->tags);
    if (name.vdi && journal_hinders(*name.vdi)) return false;
    const bool vhd = name.kind == LvKind::kVhdVdi;
    if (!vhd && name.kind != LvKind::kRawVdi) {
      return fail("its name is neither that of a VHD nor that of a raw VDI");
    }
    if (child_ != nullptr && !is_what_the_child_means(*lv, vhd)) return false;
    if (plan_.images.size() >= kMaxChainImages) {
      return fail(fmt::format("the chain is longer than {} images", kMaxChainImages));
    }
    if (!vhd) {
      plan_.raw_base = lv->name;
      return false;
    }
    return take_image(*lv);
  }

  bool take_image(const lvm::LogicalVolume& lv) {
    if (std::find(plan_.images.begin(), plan_.images.end(), lv.name) != plan_.images.end()) {
      return fail("it is its own ancestor: the chain goes round in a circle");
    }
    const VhdHead* head = head_of(lv);
    if (head == nullptr) return false;
    if (!uuid_is_what_the_child_means(*head->image)) return false;
    plan_.images.push_back(lv.name);
    if (!head->image->differencing()) return false;
    const std::string_view parent = planner_.parent_of(*head);
    if (parent.empty()) return fail_without_parent(*head);
    child_ = &*head->image;
    at_ = parent;
    return true;
  }

  const VhdHead* head_of(const lvm::LogicalVolume& lv) {
    const auto found = planner_.heads_.find(lv.name);
    if (found == planner_.heads_.end()) {
      plan_.needs_head = lv.name;
      return nullptr;
    }
    const VhdHead& head = found->second;
    if (!head.fault.empty() || !head.image) {
      fail(head.fault.empty() ? "no VHD was found in it" : head.fault);
      plan_.fault_kind = head.fault_kind;
      return nullptr;
    }
    if (head.image->batmap && head.image->batmap->encrypted) {
      fail("it is encrypted");
      return nullptr;
    }
    return &head;
  }

  bool journal_hinders(const Uuid& vdi) {
    const auto mentioned = planner_.in_transition_.find(vdi);
    if (mentioned == planner_.in_transition_.end()) return false;
    for (const JournalMention& journal : mentioned->second) {
      if (!hinders(journal, child_ != nullptr)) continue;
      fail(fmt::format("being changed: journal {}", journal.lv_name));
      plan_.fault_kind = ErrorKind::kBusy;
      return true;
    }
    return false;
  }

  /// A raw parent has no uuid, a VHD always has one: the kinds must fit before uuids are compared.
  bool is_what_the_child_means(const lvm::LogicalVolume& lv, bool vhd) {
    const bool raw_expected = child_->on_raw_parent();
    if (vhd != raw_expected) return true;
    return blame_child(
        raw_expected
            ? fmt::format("its parent {} is a VHD, but a raw volume is expected: no uuid is stored",
                          lv.name)
            : fmt::format("its parent {} is a raw volume, but a VHD with the uuid {} is expected",
                          lv.name, child_->header.parent_uuid.text()));
  }

  bool uuid_is_what_the_child_means(const vhd::ImageHead& image) {
    if (child_ == nullptr || image.footer.uuid == child_->header.parent_uuid) return true;
    return blame_child(fmt::format("its parent {} is another image now: uuid {} found, {} expected",
                                   at_, image.footer.uuid.text(),
                                   child_->header.parent_uuid.text()));
  }

  bool fail_without_parent(const VhdHead& head) {
    const std::string name = stored_name(head);
    return blame_child(name.empty() ? std::string("it needs a parent but names none")
                                    : fmt::format("its parent {} is not in this VG", name));
  }

  /// `why` is about the LV at `at_`. Always false, for the caller to return.
  bool fail(std::string_view why) {
    plan_.fault = child_ == nullptr ? std::string(why) : fmt::format("{} below it: {}", at_, why);
    return false;
  }

  /// `why` is about the last image taken.
  bool blame_child(std::string_view why) {
    plan_.fault = plan_.images.size() <= 1
                      ? std::string(why)
                      : fmt::format("{} below it: {}", plan_.images.back(), why);
    return false;
  }

  const ChainPlanner& planner_;
  std::string_view at_;
  const vhd::ImageHead* child_ = nullptr;  ///< whose parent `at_` is; null at the leaf
  ChainPlan plan_;
};

ChainPlanner::ChainPlanner(const lvm::VolumeGroup& vg, const VhdHeads& heads,
                           const VdisInTransition& in_transition)
    : heads_(heads), in_transition_(in_transition) {
  // The first of two LVs with one name counts, as VolumeGroup::find() has it.
  for (const lvm::LogicalVolume& lv : vg.volumes) by_name_.emplace(lv.name, &lv);
}

const lvm::LogicalVolume* ChainPlanner::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

std::string_view ChainPlanner::parent_of(const VhdHead& head) const {
  if (!head.image || !head.image->differencing()) return {};
  const std::string name = vhd::lv_name_of_parent(head.image->header.parent_name);
  if (const lvm::LogicalVolume* lv = find(name)) return lv->name;
  for (const std::string& other : head.parent_names) {
    if (const lvm::LogicalVolume* lv = find(other)) return lv->name;
  }
  return {};
}

ChainPlan ChainPlanner::plan(std::string_view leaf) const { return Walk(*this, leaf).run(); }

ChainPlan plan_chain(const lvm::VolumeGroup& vg, const VhdHeads& heads,
                     const VdisInTransition& in_transition, std::string_view leaf) {
  return ChainPlanner(vg, heads, in_transition).plan(leaf);
}

}  // namespace lunfs::sr

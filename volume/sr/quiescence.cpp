#include "volume/sr/quiescence.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/error.h"
#include "base/spawn.h"
#include "volume/lvm/lv_device.h"
#include "volume/lvm/vg_reader.h"
#include "volume/sr/lv_name.h"

namespace lunfs::sr {

namespace {

constexpr std::uint64_t kFooterBytes = 512;
constexpr std::uint64_t kMgtStartBytes = 2048;
// Enough to fill an iSCSI window, few enough to leave it to others as well.
constexpr std::size_t kLvsAtOnce = 32;

bool given_up(const RequestContext& context) {
  return (context.cancellation != nullptr && context.cancellation->requested()) ||
         RequestContext::Clock::now() >= context.deadline;
}

std::string text_of(const lvm::HeaderTriple& header) {
  return fmt::format("seqno {}, text at {}, checksum {:#010x}", header.seqno, header.text_offset,
                     header.text_crc);
}

Task<std::uint64_t> hash_of(RequestContext& context, BlockDevice& device, std::uint64_t offset,
                            std::uint64_t length) {
  std::vector<std::byte> bytes(length);
  co_await device.read(context, offset, bytes);
  co_return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace

Quiescence::Quiescence(BlockDevice& device, Reactor& reactor,
                       std::shared_ptr<const lvm::VolumeGroup> vg,
                       std::chrono::milliseconds distance)
    : device_(device),
      reactor_(reactor),
      vg_(std::move(vg)),
      distance_(distance),
      turns_(reactor) {}

Task<void> Quiescence::first_look(RequestContext& context) {
  first_ = co_await look(context);
  // Compared with what the volumes were mapped by, so that a commit between the two counts.
  if (!first_.front().obstacle) first_.front().value = text_of(vg_->header);
  looked_at_ = Reactor::Clock::now();
}

Task<void> Quiescence::ensure(RequestContext& context) {
  if (state_ == State::kUndecided) {
    RangeLock::Entry turn(turns_, RangeLock::Mode::kExclusive, 0, 1);
    if (!turn.granted()) co_await turn.wait(context);
    if (state_ == State::kUndecided) co_await decide(context);
  }
  if (state_ == State::kChanged) {
    throw Error(ErrorKind::kBusy, fmt::format("not writing to this SR: {}", change_))
        .because("a host has the SR plugged, or died in the middle of a change to it")
        .advise(
            "unplug the SR from every host, let a pool attach it once if a journal is left, "
            "and mount again");
  }
}

Task<void> Quiescence::decide(RequestContext& context) {
  if (!looked_at_) co_await first_look(context);
  change_ = obstacle_in(first_);
  if (change_.empty()) {
    co_await reactor_.sleep_until(context, *looked_at_ + distance_);
    const Facts second = co_await look(context);
    change_ = obstacle_in(second);
    if (change_.empty()) change_ = difference(first_, second);
  }
  state_ = change_.empty() ? State::kQuiet : State::kChanged;
}

/// The header's fact is always the first one.
Task<Quiescence::Facts> Quiescence::look(RequestContext& context) {
  Facts facts(1);
  facts.front().what = "LVM metadata";
  std::shared_ptr<const lvm::VolumeGroup> vg;
  try {
    vg = co_await lvm::read_volume_group(context, device_, reactor_);
  } catch (const Error& error) {
    if (given_up(context)) throw;
    facts.front().value = fmt::format("cannot be read: {}", error.message());
    facts.front().obstacle = true;
    co_return facts;
  }
  facts.front().value = text_of(vg->header);
  for (const lvm::LogicalVolume& lv : vg->volumes) {
    if (classify_lv(lv.name, lv.tags).kind == LvKind::kJournal) {
      facts.push_back({"journal " + lv.name, "of unfinished work", true});
    }
  }
  co_await look_into_lvs(context, vg, facts);
  co_return facts;
}

Task<void> Quiescence::look_into_lvs(RequestContext& context,
                                     std::shared_ptr<const lvm::VolumeGroup> vg, Facts& facts) {
  std::vector<const lvm::LogicalVolume*> lvs;
  for (const lvm::LogicalVolume& lv : vg->volumes) {
    const LvKind kind = classify_lv(lv.name, lv.tags).kind;
    const bool wanted = kind == LvKind::kVhdVdi || kind == LvKind::kMetadata;
    if (wanted && lv.map != nullptr) lvs.push_back(&lv);
  }
  const std::size_t begin = facts.size();
  facts.resize(begin + lvs.size());  // before the tasks: they hold references into it
  for (std::size_t done = 0; done < lvs.size(); done += kLvsAtOnce) {
    std::vector<Task<void>> tasks;
    for (std::size_t i = done; i < std::min(lvs.size(), done + kLvsAtOnce); ++i) {
      tasks.push_back(hash_into(context, vg, *lvs[i], facts[begin + i]));
    }
    co_await when_all(std::move(tasks));
  }
}

Task<void> Quiescence::hash_into(RequestContext& context,
                                 std::shared_ptr<const lvm::VolumeGroup> vg,
                                 const lvm::LogicalVolume& lv, Fact& fact) {
  const bool vhd = classify_lv(lv.name, lv.tags).kind == LvKind::kVhdVdi;
  fact.what = fmt::format("{} {}", vhd ? "the footers of" : "the start of", lv.name);
  try {
    lvm::LvDevice device(device_, vg, lv, true);
    const std::uint64_t size = device.geometry().size_bytes;
    const std::uint64_t length = std::min(size, vhd ? kFooterBytes : kMgtStartBytes);
    const std::uint64_t start = co_await hash_of(context, device, 0, length);
    fact.value = fmt::format("{:016x}", start);
    if (vhd) {
      const std::uint64_t end = co_await hash_of(context, device, size - length, length);
      fact.value += fmt::format(" {:016x}", end);
    }
  } catch (const Error& error) {
    if (given_up(context)) throw;
    fact.value = fmt::format("cannot be read: {}", error.message());
    fact.obstacle = true;
  }
}

std::string Quiescence::obstacle_in(const Facts& facts) {
  const auto found =
      std::find_if(facts.begin(), facts.end(), [](const Fact& fact) { return fact.obstacle; });
  return found == facts.end() ? std::string() : fmt::format("{} {}", found->what, found->value);
}

std::string Quiescence::difference(const Facts& before, const Facts& after) {
  std::map<std::string_view, std::string_view> left;
  for (const Fact& fact : after) left.emplace(fact.what, fact.value);
  for (const Fact& fact : before) {
    const auto found = left.find(fact.what);
    if (found == left.end())
      return fmt::format("{} went away while nobody should use it", fact.what);
    if (found->second != fact.value) {
      return fmt::format("{} changed from {} to {}", fact.what, fact.value, found->second);
    }
    left.erase(found);
  }
  if (left.empty()) return {};
  return fmt::format("{} appeared while nobody should use it", left.begin()->first);
}

}  // namespace lunfs::sr

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/reactor.h"
#include "tests/support/scattered_vg.h"
#include "tests/support/vhd_builder.h"

namespace lunfs::testing {

/// What a chain's disk is, kept while the chain is made and not read from it.
struct ChainModel {
  std::vector<std::byte> content;  ///< the guest's view
  /// Of each sector: some image of the chain, or the raw base, holds it.
  std::vector<bool> stored;
  /// Of each sector: the last image, leaf = 0, that has to be asked for it: the one that holds it,
  /// or the one below which there is nothing.
  std::vector<std::uint8_t> deepest;
};

/// A chain of VHDs as chance makes it: depth 1 to 12 and at times a raw or fixed base; sizes, block
/// sizes, creators, batmaps, layouts and footers differ from image to image. The same seed makes
/// the same chain.
class RandomChain {
 public:
  static constexpr std::uint32_t kMostImages = 12;

  /// `reactor` outlives this.
  RandomChain(Reactor& reactor, std::uint32_t seed);

  [[nodiscard]] const ChainModel& model() const noexcept { return model_; }
  [[nodiscard]] ScatteredVg& vg() noexcept { return *vg_; }
  /// LVs of the VHDs, leaf first.
  [[nodiscard]] const std::vector<std::string>& images() const noexcept { return images_; }
  /// LV of the raw base; empty if there is none.
  [[nodiscard]] const std::string& raw_base() const noexcept { return raw_base_; }
  /// For a failure's text: the seed, and each image in a line.
  [[nodiscard]] const std::string& description() const noexcept { return description_; }

 private:
  ChainModel model_;
  std::vector<std::string> images_;
  std::string raw_base_;
  std::string description_;
  std::unique_ptr<ScatteredVg> vg_;
};

}  // namespace lunfs::testing

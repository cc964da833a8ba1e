#include "tests/support/open_chain.h"

#include <utility>

#include "base/run.h"

namespace lunfs::testing {

std::unique_ptr<vhd::Chain> open_chain(Reactor& reactor, vhd::MetadataCache& cache,
                                       const std::vector<std::string>& images,
                                       const std::string& raw_base, const LvOpener& open) {
  vhd::Images opened;
  RequestContext context;
  for (const std::string& name : images) {
    std::unique_ptr<BlockDevice> lv = open(name);
    vhd::ImageHead head = run_until_done(reactor, vhd::read_image_head(context, *lv));
    opened.push_back(std::make_shared<vhd::Image>(
        vhd::Image{.lv = std::move(lv), .head = std::move(head), .number = cache.new_image()}));
  }
  return std::make_unique<vhd::Chain>(reactor, cache, std::move(opened),
                                      raw_base.empty() ? nullptr : open(raw_base));
}

std::unique_ptr<vhd::Chain> open_chain(Reactor& reactor, vhd::MetadataCache& cache,
                                       RandomChain& chain) {
  return open_chain(reactor, cache, chain.images(), chain.raw_base(),
                    [&](std::string_view lv) { return chain.vg().open(lv); });
}

}  // namespace lunfs::testing

#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/spawn.h"
#include "iscsi/open_lun.h"
#include "iscsi/paths.h"
#include "tests/unit/iscsi/fake_lun.h"
#include "tests/unit/iscsi/fake_target.h"
#include "tests/unit/iscsi/opened.h"

namespace lunfs::testing {

inline FakeTarget::Options target(FakeTarget::Handler handler,
                                  std::optional<std::uint16_t> group = 1) {
  FakeTarget::Options options;
  options.handler = std::move(handler);
  options.portal_group = group;
  return options;
}

/// A LUN with two paths, each of them a fake target of its own; the LUNs look the same. The first
/// path is in use.
class TwoPaths {
 public:
  TwoPaths(FakeTarget::Options one, FakeTarget::Options two,
           std::chrono::seconds path_timeout = std::chrono::seconds(10),
           std::chrono::seconds patience = std::chrono::seconds(20))
      : first(std::move(one)), second(std::move(two)), options(options_for({}, kFakeIqn, 1)) {
    options.url.portal = first.portal();
    options.portals = {second.portal()};
    options.path_timeout = path_timeout;
    options.command_timeout = options.outage_limit = patience;
    options.retries.first_pause = std::chrono::milliseconds(1);
  }
  TwoPaths(const TwoPaths&) = delete;
  TwoPaths& operator=(const TwoPaths&) = delete;
  ~TwoPaths() {
    if (!lun) return;
    initiator.run([&](RequestContext& c) { return lun->logout(c); });
  }

  TwoPaths& open() {
    lun = initiator.open(options);
    return *this;
  }
  std::vector<std::byte> read() {
    std::vector<std::byte> bytes(512);
    initiator.run([&](RequestContext& c) { return lun->read(c, 0, bytes); });
    return bytes;
  }
  void write(std::uint32_t seed) {
    const auto data = noise(512, seed);
    initiator.run([&](RequestContext& c) { return lun->write(c, 0, data, {}); });
  }
  void pause(std::chrono::milliseconds length) { initiator.pause(length); }
  void wait_until(const std::function<bool()>& done) { initiator.wait_until(done); }
  iscsi::PathReport::State state(std::size_t path) { return lun->paths().at(path).state; }

  FakeTarget first;
  FakeTarget second;
  Initiator initiator;
  iscsi::LunOptions options;
  std::unique_ptr<iscsi::LunDevice> lun;
};

}  // namespace lunfs::testing

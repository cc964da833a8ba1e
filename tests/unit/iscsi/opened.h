#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/reactor.h"
#include "base/run.h"
#include "base/spawn.h"
#include "base/thread_pool.h"
#include "iscsi/open_lun.h"

namespace lunfs::testing {

/// A reactor with what open_lun() needs. SIGPIPE is ignored, as in the daemon: libiscsi writes
/// without MSG_NOSIGNAL.
struct Initiator {
  Initiator() { signal(SIGPIPE, SIG_IGN); }

  Reactor reactor;
  ThreadPool pool{1};

  std::unique_ptr<iscsi::LunDevice> open(const iscsi::LunOptions& options) {
    RequestContext context;
    return run_until_done(reactor, iscsi::open_lun(context, reactor, pool, options));
  }
  /// The error that opening ends with; kInternal with a text of its own if it succeeds.
  Error open_error(const iscsi::LunOptions& options) {
    try {
      open(options);
    } catch (const Error& error) {
      return error;
    }
    return {ErrorKind::kInternal, "the LUN was opened"};
  }
  void pause(std::chrono::milliseconds length) {
    RequestContext context;
    run_until_done(reactor, reactor.sleep_until(context, Reactor::Clock::now() + length));
  }
  /// For half a minute at most.
  void wait_until(const std::function<bool()>& done) {
    for (int i = 0; i < 3000 && !done(); ++i) pause(std::chrono::milliseconds(10));
    EXPECT_TRUE(done());
  }
  /// Runs a task with a generous deadline.
  template <typename MakeTask>
  auto run(MakeTask make_task) {
    RequestContext context = RequestContext::within(std::chrono::seconds(60));
    return run_until_done(reactor, make_task(context));
  }
};

inline iscsi::LunOptions options_for(const iscsi::PortalAddress& portal, const std::string& iqn,
                                     std::uint16_t lun) {
  return {.url = {std::nullopt, portal, iscsi::Iqn::parse(iqn), lun},
          .initiator_name = "iqn.2026-11.example:initiator",
          .initiator_alias = {},
          .chap = {},
          .discovery_chap = {},
          .credentials_source = {},
          .login_timeout = std::chrono::seconds(15),
          .command_timeout = std::chrono::seconds(30),
          .outage_limit = std::chrono::seconds(30),
          .keep_alive = std::chrono::seconds(5),
          .retries = {}};
}

inline Task<void> all_of(std::vector<Task<void>> tasks) { co_await when_all(std::move(tasks)); }

/// Bytes that differ at every place and with every seed.
inline std::vector<std::byte> noise(std::size_t size, std::uint32_t seed) {
  std::minstd_rand random(seed);
  std::vector<std::byte> bytes(size);
  for (std::byte& b : bytes) b = static_cast<std::byte>(random() >> 8U);
  return bytes;
}

}  // namespace lunfs::testing

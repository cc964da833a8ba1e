#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/reactor.h"
#include "base/request_context.h"
#include "base/task.h"
#include "base/thread_pool.h"
#include "iscsi/paths.h"

namespace lunfs::iscsi {

/// The paths to one LUN, with what the log is told of them, and the looks at those that stand by.
/// With one path it says nothing and looks at nothing. Belongs to the reactor's thread.
class PathWatch {
 public:
  /// How often the paths that stand by are looked at, and how long each look may take.
  static constexpr std::chrono::seconds kEvery{5};
  static constexpr std::chrono::seconds kPatience{2};

  /// `reactor` and `pool` (name resolution) outlive this.
  PathWatch(Reactor& reactor, ThreadPool& pool, PathSet paths)
      : reactor_(reactor), pool_(pool), set_(std::move(paths)) {}

  [[nodiscard]] PathSet& set() noexcept { return set_; }
  [[nodiscard]] const PathSet& set() const noexcept { return set_; }
  [[nodiscard]] std::string portal_text(std::size_t path) const {
    return set_.at(path).portal.text();
  }

  /// See PathSet; each says in one line what is news.
  void use(std::size_t path);
  void lose(const std::string& reason, bool good);
  void leave(const std::string& why, bool good, std::optional<AccessState> access);
  void fail(std::size_t path, const std::string& reason, bool refused = false);
  /// True if it had been down.
  bool answer(std::size_t path);

  /// "HOST:PORT: reason; ..." of all paths: why there is no session.
  [[nodiscard]] std::string reasons() const;

  /// Looks at the paths that are not in use, all at once, every kEvery as long as `wanted` says
  /// so, until the context is cancelled, which is its only error. `came_back` is called when one
  /// answers that had been down. Once.
  Task<void> run(RequestContext& context, std::function<bool()> wanted,
                 std::function<void()> came_back);

 private:
  Task<void> look_at(RequestContext& context, std::size_t path, bool& came_back);

  Reactor& reactor_;
  ThreadPool& pool_;
  PathSet set_;
};

}  // namespace lunfs::iscsi

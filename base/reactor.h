#pragma once

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/file_descriptor.h"
#include "base/request_context.h"
#include "base/task.h"

namespace lunfs {

/// The event loop of one shard: file descriptors, timers, and work handed over by other threads.
///
/// Belongs to the thread that calls run(); every member but post() and stop() is for that thread
/// alone (before run(): for the thread that will call it). Handlers must not throw.
///
/// One turn: wait, call the handlers of what is ready, resume what was deferred, call the hooks
/// after the handlers and resume what they deferred, then call the turn-end hooks. A turn is
/// therefore a batch: what one drain of /dev/fuse submits is sent together by the LUN's turn-end
/// hook, and a lone request is never delayed. A run begins with the end of a turn, so that what was
/// submitted before it is sent.
class Reactor {
  struct HookEntry;
  struct HookList;

 public:
  using Clock = RequestContext::Clock;
  using FdHandler = std::function<void(std::uint32_t epoll_events)>;
  using Callback = std::function<void()>;

  Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;
  ~Reactor();

  /// A watched descriptor; unwatched when this ends. Does not own the descriptor, which stays open
  /// until then: the number of a closed one may already be another watch's.
  class Watch {
   public:
    Watch() = default;
    Watch(Watch&& other) noexcept
        : reactor_(std::exchange(other.reactor_, nullptr)), id_(other.id_) {}
    Watch& operator=(Watch&& other) noexcept {
      std::swap(reactor_, other.reactor_);
      std::swap(id_, other.id_);
      return *this;
    }
    ~Watch();
    /// Changes the EPOLL* mask that is waited for.
    void set_events(std::uint32_t events);

   private:
    friend class Reactor;
    Watch(Reactor* reactor, std::uint64_t id) : reactor_(reactor), id_(id) {}
    Reactor* reactor_ = nullptr;
    std::uint64_t id_ = 0;
  };

  /// Calls `handler` whenever one of `events` (EPOLL*) or an error or hang-up is there on `fd`.
  /// The handler may end its own Watch.
  [[nodiscard]] Watch watch(int fd, std::uint32_t events, FdHandler handler);

  /// A pending timer; cancelled when this ends. Fires at most once. The callback may end it.
  class Timer {
   public:
    Timer() = default;
    Timer(Timer&& other) noexcept
        : reactor_(std::exchange(other.reactor_, nullptr)), place_(other.place_) {}
    Timer& operator=(Timer&& other) noexcept {
      std::swap(reactor_, other.reactor_);
      std::swap(place_, other.place_);
      return *this;
    }
    ~Timer();

   private:
    friend class Reactor;
    struct Key {
      Clock::time_point when;
      std::uint64_t id;
      auto operator<=>(const Key&) const = default;
    };
    Timer(Reactor* reactor, Key place) : reactor_(reactor), place_(place) {}
    Reactor* reactor_ = nullptr;
    Key place_{};
  };

  [[nodiscard]] Timer at(Clock::time_point when, Callback callback);

  /// Suspends the coroutine until `when`; a cancelled context ends the wait early, by kCancelled,
  /// and a deadline before `when` ends it by kTimedOut. Waits that somebody else may end: WakeUp.
  Task<void> sleep_until(RequestContext& context, Clock::time_point when);

  /// Resumes `handle` later in this turn, after the handlers; for code that must not be re-entered.
  void defer(std::coroutine_handle<> handle);

  /// Calls `callback` on the reactor's thread, soon, in the order of the calls. Thread-safe. What
  /// was posted and not called when the reactor ends is dropped.
  void post(Callback callback);

  /// A function that every turn calls until this ends. It may end its own hook or another's, and
  /// add hooks, which are then called in the same turn.
  class Hook {
   public:
    Hook() = default;
    Hook(Hook&& other) noexcept
        : list_(std::exchange(other.list_, nullptr)), place_(other.place_) {}
    Hook& operator=(Hook&& other) noexcept {
      std::swap(list_, other.list_);
      std::swap(place_, other.place_);
      return *this;
    }
    ~Hook();

   private:
    friend class Reactor;
    Hook(HookList* list, std::list<HookEntry>::iterator place) : list_(list), place_(place) {}
    HookList* list_ = nullptr;
    std::list<HookEntry>::iterator place_;
  };

  /// Called in every turn when what the handlers have caused was resumed: for a look at who asks
  /// again after an answer, which costs less than another wait.
  [[nodiscard]] Hook after_handlers(Callback callback);
  /// Called last in every turn.
  [[nodiscard]] Hook at_turn_end(Callback callback);

  /// Turns until stop() is called; a stop() before run() counts.
  void run();
  /// Turns until `done` is true. A stop() meanwhile does not end it; the next run() obeys it.
  void run_until(const bool& done);
  /// Makes run() return after the current turn. Thread-safe.
  void stop();

 private:
  struct HookEntry {
    Callback callback;
    bool ended = false;  ///< its Hook is gone; not called again
  };

  struct HookList {
    std::list<HookEntry> entries;
    bool being_called = false;  ///< ended ones are only marked

    Hook add(Callback callback);
    void call();
  };

  struct Watched {
    int fd;
    std::uint32_t events;
    std::shared_ptr<FdHandler> handler;  ///< shared: a handler may end its own watch while it runs
  };

  using Timers = std::map<Timer::Key, Callback>;

  [[nodiscard]] bool take_stop();
  Callback take_timer(const Timer::Key& key);
  void wait();
  void end_turn();
  [[nodiscard]] std::optional<timespec> wait_limit() const;
  void dispatch(std::uint64_t id, std::uint32_t events);
  void fire_timers();
  void resume_deferred();
  void run_posted();

  FileDescriptor epoll_;
  FileDescriptor wake_;  ///< eventfd, written by post() and stop()
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, Watched> watched_;
  Timers timers_;
  Timers::node_type spare_timer_;  ///< so that a timer that comes and goes costs no allocation
  std::vector<std::coroutine_handle<>> deferred_;
  std::vector<std::coroutine_handle<>> resuming_;  ///< empty but in resume_deferred(): its memory
  HookList after_handlers_;
  HookList turn_end_;

  std::mutex mutex_;
  std::vector<Callback> posted_;  ///< guarded by mutex_
  bool stop_ = false;             ///< guarded by mutex_
};

}  // namespace lunfs

#include "base/thread_pool.h"

#include <coroutine>
#include <exception>
#include <system_error>
#include <utility>

#include "base/error.h"

namespace lunfs {

ThreadPool::ThreadPool(unsigned threads, const std::function<void()>& at_start) {
  if (threads == 0) throw Error(ErrorKind::kInternal, "a thread pool without threads");
  threads_.reserve(threads);
  try {
    for (unsigned i = 0; i < threads; ++i) {
      threads_.emplace_back([this, at_start] {
        if (at_start) at_start();
        work();
      });
    }
  } catch (const std::system_error& failure) {
    end();  // those that started would be joined for ever
    throw system_error(failure.code().value(), "starting a thread");
  }
}

ThreadPool::~ThreadPool() { end(); }

void ThreadPool::end() noexcept {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  threads_.clear();  // joins, while the mutex and the queue still live
}

void ThreadPool::enqueue(Work work) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
  }
  changed_.notify_one();
}

bool ThreadPool::idle() {
  const std::lock_guard lock(mutex_);
  return queue_.empty() && running_ == 0;
}

void ThreadPool::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ending_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const Work next = std::move(queue_.front());
    queue_.pop_front();
    ++running_;
    lock.unlock();
    next.job();
    lock.lock();
    --running_;
    lock.unlock();
    next.tell_end();  // now: whoever hears it may ask idle()
    lock.lock();
  }
}

Task<void> ThreadPool::run(Reactor& reactor, std::function<void()> job) {
  struct Awaiter {
    ThreadPool& pool;
    Reactor& reactor;
    std::function<void()>& job;
    std::exception_ptr failure;

    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
      // The awaiter lives in the suspended frame, which only the posted resume can end.
      pool.enqueue({.job =
                        [this] {
                          try {
                            job();
                          } catch (...) {
                            failure = std::current_exception();
                          }
                        },
                    .tell_end = [&reactor = reactor,
                                 handle] { reactor.post([handle] { handle.resume(); }); }});
    }
    void await_resume() {
      if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
    }
  };
  co_await Awaiter{*this, reactor, job, nullptr};
}

}  // namespace lunfs

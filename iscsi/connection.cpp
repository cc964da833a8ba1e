#include "iscsi/connection.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "base/log.h"
#include "base/wake_up.h"
#include "iscsi/libiscsi_context.h"
#include "iscsi/login_guard.h"

namespace lunfs::iscsi {

namespace {

constexpr std::chrono::seconds kTick{1};
constexpr std::size_t kMaxTargets = 1000;
constexpr std::uint32_t kWhileLoggingIn = EPOLLIN | EPOLLRDHUP | EPOLLET;

std::string printable(const char* text) {
  std::string result;
  for (; text != nullptr && *text != '\0'; ++text) {
    if (*text >= 0x20 && *text < 0x7f) result += *text;
  }
  return result;
}

/// What is on its way when a connection is given up must not be delivered behind its back, by the
/// kernel or by whoever stands between and passes bytes on: a write among it would be carried out
/// after newer ones, as a target may serve the old connection for a while beside the new session
/// (tgtd does). So the close resets it. Source: socket(7), SO_LINGER.
void drop_undelivered(int socket) noexcept {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace

/// What libiscsi calls. They only store; `private_data` is the Connection.
struct Connection::Callbacks {
  static void on_connect(iscsi_context* /*context*/, int status, void* /*data*/,
                         void* private_data) {
    // Comes a second time, with an error, when the connection breaks; service() sees that itself.
    auto& self = *static_cast<Connection*>(private_data);
    if (status == SCSI_STATUS_GOOD) self.connected_ = true;
  }

  static void on_answer(iscsi_context* /*context*/, int status, void* /*data*/,
                        void* private_data) {
    auto& self = *static_cast<Connection*>(private_data);
    self.answered_ = true;
    self.answer_status_ = status;
  }

  /// libiscsi counts the answers itself.
  static void on_nop(iscsi_context* /*context*/, int /*status*/, void* /*data*/,
                     void* /*private_data*/) {}

  static void on_targets(iscsi_context* context, int status, void* data, void* private_data) {
    auto& self = *static_cast<Connection*>(private_data);
    on_answer(context, status, data, private_data);
    if (status != SCSI_STATUS_GOOD) return;
    const auto* entry = static_cast<const iscsi_discovery_address*>(data);
    for (; entry != nullptr && self.targets_.size() < kMaxTargets; entry = entry->next) {
      DiscoveredTarget target;
      target.name = printable(entry->target_name);
      for (const iscsi_target_portal* portal = entry->portals; portal != nullptr;
           portal = portal->next) {
        target.portals.push_back(printable(portal->portal));
      }
      self.targets_.push_back(std::move(target));
    }
  }
};

Connection::Connection(Reactor& reactor, ConnectionOptions options)
    : reactor_(reactor),
      options_(std::move(options)),
      context_(new_context(options_)),
      changed_(reactor) {}

Connection::~Connection() {
  user_ = nullptr;
  end(Error(ErrorKind::kUnreachable, "the session was closed"));
}

void Connection::end(Error reason) {
  if (failure_) return;
  log::debug("portal={}: connection ends: {}", address_.text(), reason.message());
  failure_ = std::move(reason);
  watch_ = {};
  turn_end_ = {};
  timer_ = {};
  look_.reset();
  forget_secrets();
  // libiscsi also reports the end of a logout that it gave up.
  const bool said_goodbye =
      phase_ == Phase::kLeaving && answered_ && answer_status_ == SCSI_STATUS_GOOD;
  if (!said_goodbye) drop_undelivered(iscsi_get_fd(context_));
  // Calls back every command that it still has; they only store.
  iscsi_destroy_context(std::exchange(context_, nullptr));
  if (user_ != nullptr) user_->on_end();
  changed_.wake();
}

void Connection::forget_secrets() noexcept {
  options_.chap.forget_secrets();
  overwrite_secrets(context_);
}

bool Connection::sending() const noexcept {
  return context_ != nullptr &&
         ((iscsi_which_events(context_) & POLLOUT) != 0 || iscsi_out_queue_length(context_) > 0);
}

Task<void> Connection::wait_for(RequestContext& context, const bool& done) {
  while (!done && !ended()) {
    co_await changed_.until(context);
    if (!done && !ended()) context.check();
  }
  if (!done) throw *failure_;
}

Task<void> Connection::connect(RequestContext& context, const PortalAddress& address) {
  address_ = address;
  phase_ = Phase::kConnecting;
  if (iscsi_connect_async(context_, address.text().c_str(), &Callbacks::on_connect, this) != 0) {
    end(Error(ErrorKind::kUnreachable, fmt::format("connecting to {}: {}", address.text(),
                                                   printable(iscsi_get_error(context_)))));
    throw *failure_;
  }
  fcntl(iscsi_get_fd(context_), F_SETFD, FD_CLOEXEC);  // not for the mount helper
  watch_ = reactor_.watch(iscsi_get_fd(context_), EPOLLOUT,
                          [this](std::uint32_t events) { handle(events); });
  turn_end_ = reactor_.at_turn_end([this] { end_of_turn(); });
  timer_ = reactor_.at(Reactor::Clock::now() + kTick, [this] { tick(); });
  co_await wait_for(context, connected_);
}

Task<LoginAnswer> Connection::login(RequestContext& context) {
  guard_ = std::make_unique<LoginGuard>(options_.chap);
  phase_ = Phase::kLoggingIn;
  answered_ = false;
  if (iscsi_login_async(context_, &Callbacks::on_answer, this) != 0) {
    end(Error(ErrorKind::kInternal,
              fmt::format("starting the login: {}", printable(iscsi_get_error(context_)))));
  }
  dirty_ = true;
  co_await wait_for(context, answered_);
  if (!ended()) forget_secrets();

  LoginAnswer answer;
  answer.status = guard_->inspector().status();
  portal_group_ = guard_->inspector().portal_group();
  if (answer_status_ == SCSI_STATUS_GOOD) {
    // Cannot be reached unless the inspector and libiscsi count PDUs differently.
    if (!guard_->inspector().finished() ||
        (options_.chap.mutual() && !guard_->inspector().proof_seen())) {
      throw Error(ErrorKind::kAuth, "the login ended without the target's proof");
    }
  } else if (answer_status_ == SCSI_STATUS_REDIRECT && context_ != nullptr) {
    answer.kind = LoginAnswer::Kind::kMoved;
    answer.address = printable(iscsi_get_target_address(context_));
  } else if (answer.status != 0) {
    answer.kind = LoginAnswer::Kind::kRefused;
  } else if (guard_->inspector().proof_seen()) {
    answer.kind = LoginAnswer::Kind::kWrongProof;
  } else {
    throw Error(ErrorKind::kUnreachable,
                fmt::format("the login failed: {}",
                            ended() ? failure_->message() : printable(iscsi_get_error(context_))));
  }
  guard_.reset();
  co_return answer;
}

Task<std::vector<DiscoveredTarget>> Connection::send_targets(RequestContext& context) {
  answered_ = false;
  if (ended()) throw *failure_;
  if (iscsi_discovery_async(context_, &Callbacks::on_targets, this) != 0) {
    throw Error(ErrorKind::kUnreachable, "the discovery could not be sent");
  }
  dirty_ = true;
  co_await wait_for(context, answered_);
  if (answer_status_ != SCSI_STATUS_GOOD) {
    throw Error(ErrorKind::kUnreachable, "the target did not answer the discovery as it should");
  }
  co_return std::move(targets_);
}

Task<void> Connection::logout(RequestContext& context) {
  if (ended()) co_return;
  answered_ = false;
  phase_ = Phase::kLeaving;
  moderated_ = moderation_.apply(iscsi_get_fd(context_), {});  // the answer is a short one, alone
  if (iscsi_logout_async(context_, &Callbacks::on_answer, this) == 0) {
    dirty_ = true;
    try {
      co_await wait_for(context, answered_);
    } catch (const Error& error) {  // the target's goodbye changes nothing that was acknowledged
      log::debug("portal={}: logout: {}", address_.text(), error.message());
    }
  }
  end(Error(ErrorKind::kUnreachable, "the session was logged out"));
}

void Connection::handle(std::uint32_t events) {
  dirty_ = true;
  switch (phase_) {
    case Phase::kConnecting:
      handle_connecting(events);
      break;
    case Phase::kIdle:  // nothing was asked: whatever came stays where it is until the login
      break;
    case Phase::kLoggingIn:
      if ((events & EPOLLOUT) != 0) service(POLLOUT);
      receive_login(events);
      break;
    case Phase::kReady:
    case Phase::kLeaving:
      // What had arrived before the hang-up counts, so it is read first.
      if ((events & EPOLLIN) != 0) {
        if (moderated_) received_ = Reactor::Clock::now();
        service(POLLIN);
      }
      if ((events & EPOLLOUT) != 0) service(POLLOUT);
      if ((events & (EPOLLHUP | EPOLLERR)) != 0 && !ended()) {
        closed_by_target_ = true;
        end(Error(ErrorKind::kUnreachable,
                  fmt::format("the connection to {} was lost", address_.text())));
      }
  }
}

void Connection::handle_connecting(std::uint32_t events) {
  int fault = 0;
  socklen_t size = sizeof(fault);
  getsockopt(iscsi_get_fd(context_), SOL_SOCKET, SO_ERROR, &fault, &size);
  if (fault != 0) {
    const Error error = system_error(fault, fmt::format("connecting to {}", address_.text()));
    end(Error(error.kind() == ErrorKind::kTimedOut ? ErrorKind::kTimedOut : ErrorKind::kUnreachable,
              error.message()));
    return;
  }
  if ((events & EPOLLOUT) != 0) service(POLLOUT);
  if (connected_) phase_ = Phase::kIdle;
}

void Connection::receive_login(std::uint32_t events) {
  try {
    while (!ended() && !answered_) {
      const LoginGuard::Peek peek = guard_->peek(iscsi_get_fd(context_));
      const bool over = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
      if (peek == LoginGuard::Peek::kClosed || (peek == LoginGuard::Peek::kIncomplete && over)) {
        throw Error(ErrorKind::kUnreachable,
                    fmt::format("{} closed the connection during the login", address_.text()))
            .because("the target does not let this host in, or it is not an iSCSI target")
            .advise("check host and port, and the array's access list");
      }
      if (peek == LoginGuard::Peek::kIncomplete) return;
      // Before service(), which may report the end of the login.
      if (guard_->inspector().finished()) {
        phase_ = Phase::kReady;
        buffer_.begin();
      }
      service(POLLIN);
      if (phase_ == Phase::kReady) return;
    }
  } catch (const Error& error) {
    end(error);
  }
}

/// False if the connection is broken.
bool Connection::run_libiscsi(int poll_events) {
  const SocketCalls::Scope scope(buffer_);
  buffer_.look_again();
  if (iscsi_service(context_, poll_events) != 0) return false;
  // What the buffer has read ahead nobody tells of again.
  for (std::size_t before = 0; buffer_.received_bytes() != before;) {
    before = buffer_.received_bytes();
    if (before != 0 && iscsi_service(context_, POLLIN) != 0) return false;
  }
  return (poll_events & POLLOUT) == 0 || buffer_.flush(iscsi_get_fd(context_));
}

void Connection::service(int poll_events) {
  if (ended()) return;
  const bool waiting = !connected_ || !answered_;
  const bool failed = !run_libiscsi(poll_events);
  if (user_ != nullptr) user_->on_progress();
  const bool logged_out = phase_ == Phase::kReady && iscsi_is_logged_in(context_) == 0;
  if (tap_.fault()) {
    end(Error(ErrorKind::kUnreachable,
              fmt::format("{} broke the protocol: {}", address_.text(), *tap_.fault())));
  } else if (failed || broken_) {
    closed_by_target_ = phase_ == Phase::kReady;
    end(Error(ErrorKind::kUnreachable,
              fmt::format("the connection to {} was lost", address_.text())));
  } else if (logged_out) {
    closed_by_target_ = true;
    end(Error(ErrorKind::kUnreachable, fmt::format("{} ended the session", address_.text())));
  }
  if (waiting && (connected_ || answered_)) changed_.wake();
}

void Connection::end_of_turn() {
  if (!std::exchange(dirty_, false)) return;
  if (phase_ != Phase::kIdle && phase_ != Phase::kConnecting && wants_write()) service(POLLOUT);
  if (ended()) return;
  watch_for_events();
  if (phase_ == Phase::kReady) moderate();
}

void Connection::moderate() {
  if (user_ == nullptr) return;
  moderated_ = moderation_.apply(iscsi_get_fd(context_), user_->outstanding());
  if (moderated_ && !look_) {
    received_ = Reactor::Clock::now();
    look_ = reactor_.at(received_ + ReceiveModeration::kLongest, [this] { look_at_moderated(); });
  }
}

/// One timer that renews itself while it is needed, so that a turn costs none.
void Connection::look_at_moderated() {
  look_.reset();
  if (!moderated_ || phase_ != Phase::kReady || ended()) return;
  const auto due = received_ + ReceiveModeration::kLongest;
  if (Reactor::Clock::now() >= due) {
    handle(EPOLLIN);
  } else {
    look_ = reactor_.at(due, [this] { look_at_moderated(); });
  }
}

bool Connection::wants_write() const noexcept {
  return buffer_.has_unsent() || (iscsi_which_events(context_) & POLLOUT) != 0;
}

void Connection::watch_for_events() {
  if (phase_ == Phase::kConnecting) return;
  const bool wants_write = phase_ != Phase::kIdle && this->wants_write();
  const std::uint32_t read = phase_ == Phase::kReady || phase_ == Phase::kLeaving
                                 ? std::uint32_t{EPOLLIN}
                                 : kWhileLoggingIn;
  watch_.set_events(read | (wants_write ? std::uint32_t{EPOLLOUT} : 0U));
}

void Connection::tick() {
  timer_ = reactor_.at(Reactor::Clock::now() + kTick, [this] { tick(); });
  // Makes libiscsi act on a session end that the target asked for and no packet followed.
  if (phase_ == Phase::kReady) service(0);
  if (!ended() && user_ != nullptr) user_->on_tick();
  if (!ended() && phase_ == Phase::kReady) keep_alive();
}

/// A target that sends nothing, asked or not, is asked for a sign of life.
void Connection::keep_alive() {
  constexpr int kPeriods = 4;
  const std::uint64_t heard = buffer_.taken_from_socket();
  if (std::exchange(heard_bytes_, heard) != heard) {
    silent_for_ = std::chrono::seconds(0);
    return;
  }
  silent_for_ += kTick;
  const bool limited = options_.silence_limit.count() != 0;
  const auto limit = limited ? options_.silence_limit : kPeriods * options_.keep_alive;
  if (silent_for_ >= limit && iscsi_get_nops_in_flight(context_) > 0) {
    end(Error(ErrorKind::kUnreachable,
              fmt::format("{} has been silent for {} s and does not answer a ping", address_.text(),
                          silent_for_.count())));
  } else if (silent_for_ % options_.keep_alive == std::chrono::seconds(0) &&
             iscsi_nop_out_async(context_, &Callbacks::on_nop, nullptr, 0, nullptr) == 0) {
    dirty_ = true;
  }
}

EndAtDeadline::EndAtDeadline(Connection& connection, RequestContext& context, std::string what)
    : registration_(context.cancellation, [&connection] {
        connection.end(Error(ErrorKind::kCancelled, "the caller gave up"));
      }) {
  if (context.deadline == RequestContext::Clock::time_point::max()) return;
  timer_ = connection.reactor().at(context.deadline, [&connection, what = std::move(what)] {
    connection.end(Error(ErrorKind::kTimedOut, what));
  });
}

}  // namespace lunfs::iscsi

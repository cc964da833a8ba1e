#include "iscsi/session.h"

#include <fmt/format.h>
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/checked.h"

namespace lunfs::iscsi {

namespace {

struct TaskDeleter {
  void operator()(scsi_task* task) const noexcept { scsi_free_scsi_task(task); }
};
using TaskPointer = std::unique_ptr<scsi_task, TaskDeleter>;

/// The LUN field's first two bytes. Source: SAM-5 §4.7: peripheral device up to 255, flat space.
std::uint16_t encoded_lun(std::uint16_t lun) noexcept {
  constexpr std::uint16_t kFlatSpace = 0x4000;
  return lun < 256 ? lun : static_cast<std::uint16_t>(kFlatSpace | lun);
}

/// Of the answer to a command that succeeds, as one PDU.
std::size_t answer_bytes(const ScsiCommand& command) noexcept {
  constexpr std::size_t kHeaderBytes = 48;
  return kHeaderBytes + command.in_size();
}

/// libiscsi wants a pointer to bytes it may change, also for what it only sends.
void* unchanged(ConstIoSpan bytes) noexcept { return const_cast<std::byte*>(bytes.data()); }

/// A command's buffers as libiscsi wants them. It changes them while it uses them, so they are the
/// request's own; a single one, which is the rule, costs no allocation.
class Vectors {
 public:
  explicit Vectors(const ScsiCommand& command) : size_(command.in.size() + command.out.size()) {
    if (size_ > 1) many_.resize(size_);
    scsi_iovec* next = all().data();
    for (const IoSpan& part : command.in) *next++ = {part.data(), part.size()};
    for (const ConstIoSpan& part : command.out) *next++ = {unchanged(part), part.size()};
  }

  std::span<scsi_iovec> all() noexcept { return {size_ > 1 ? many_.data() : &single_, size_}; }

 private:
  std::size_t size_;
  scsi_iovec single_{};
  std::vector<scsi_iovec> many_;
};

Error not_sent(const ScsiCommand& command) {
  return Error(
             ErrorKind::kUnreachable,
             fmt::format("{} could not be sent, or not again, while there was time for its answer",
                         command_name(command.cdb)))
      .because(
          "the target was away nearly as long, says that it is busy, or answers more slowly than "
          "requests come")
      .advise("look at the array and its load; a larger `timeout` waits longer");
}

TaskPointer make_task(const ScsiCommand& command, std::span<scsi_iovec> vectors) {
  scsi_xfer_dir direction = SCSI_XFER_NONE;
  if (command.in_size() != 0) direction = SCSI_XFER_READ;
  if (command.out_size() != 0) direction = SCSI_XFER_WRITE;
  std::array<std::uint8_t, 16> cdb = command.cdb.bytes;
  TaskPointer task(scsi_create_task(command.cdb.length, cdb.data(), direction,
                                    checked_cast<int>(command.size(), "length of a SCSI command")));
  if (task == nullptr) throw Error(ErrorKind::kIo, "no memory for a SCSI command");
  const int count = static_cast<int>(vectors.size());
  if (direction == SCSI_XFER_READ) scsi_task_set_iov_in(task.get(), vectors.data(), count);
  if (direction == SCSI_XFER_WRITE) scsi_task_set_iov_out(task.get(), vectors.data(), count);
  return task;
}

CommandResult result_of(const scsi_task& task, ScsiStatus status, std::size_t asked) {
  constexpr std::size_t kLengthField = 2;  // in front of the sense data. Source: RFC 7143 §11.4.7
  CommandResult result;
  result.status = status;
  if (status == ScsiStatus::kCheckCondition && task.datain.data != nullptr &&
      task.datain.size > static_cast<int>(kLengthField)) {
    const ConstByteSpan bytes =
        std::as_bytes(std::span(task.datain.data, static_cast<std::size_t>(task.datain.size)));
    const std::size_t told = load_be<std::uint16_t>(bytes, 0);
    result.sense =
        parse_sense(bytes.subspan(kLengthField, std::min(told, bytes.size() - kLengthField)));
  }
  if (task.residual_status == SCSI_RESIDUAL_UNDERFLOW) {
    result.missing_bytes = std::min(task.residual, asked);
  }
  result.overflow = task.residual_status == SCSI_RESIDUAL_OVERFLOW;
  return result;
}

/// Nullopt for what libiscsi itself reports: cancelled, error, timeout.
std::optional<ScsiStatus> scsi_status(int status) noexcept {
  switch (status) {
    case SCSI_STATUS_GOOD:
    case SCSI_STATUS_CONDITION_MET:
      return ScsiStatus::kGood;
    case SCSI_STATUS_CHECK_CONDITION:
      return ScsiStatus::kCheckCondition;
    case SCSI_STATUS_BUSY:
      return ScsiStatus::kBusy;
    case SCSI_STATUS_RESERVATION_CONFLICT:
      return ScsiStatus::kReservationConflict;
    case SCSI_STATUS_TASK_SET_FULL:
      return ScsiStatus::kTaskSetFull;
    case SCSI_STATUS_ACA_ACTIVE:
      return ScsiStatus::kAcaActive;
    case SCSI_STATUS_TASK_ABORTED:
      return ScsiStatus::kTaskAborted;
    default:
      return std::nullopt;
  }
}

}  // namespace

/// One command with libiscsi; lives in the frame of execute().
struct Session::Request {
  Session& session;
  const RequestContext& context;
  const ScsiCommand& command;
  Clock::time_point started;
  Vectors vectors{command};
  TaskPointer task = make_task(command, vectors.all());
  std::optional<ScsiStatus> status{};  ///< none when it ends: the connection ended first
  bool in_flight = false;
  Requests::iterator place{};
  std::coroutine_handle<> waiting{};
};

struct Session::Callbacks {
  static void on_command(iscsi_context* /*context*/, int status, void* /*data*/,
                         void* private_data) {
    auto& request = *static_cast<Request*>(private_data);
    const auto known = scsi_status(status);
    if (!known) {
      request.session.connection_->note_broken();
      return;
    }
    request.status = known;
    request.session.answer_bytes_ -= answer_bytes(request.command);
    Requests& answered = request.session.answered_;
    answered.splice(answered.end(), request.session.in_flight_, request.place);
  }

  static void on_reset(iscsi_context* /*context*/, int status, void* data, void* private_data) {
    auto& reset = *static_cast<Reset*>(private_data);
    reset.answered = true;
    if (status == SCSI_STATUS_GOOD && data != nullptr) {
      reset.response = *static_cast<const std::uint32_t*>(data);
    }
  }
};

struct Session::Answer {
  Request& request;

  [[nodiscard]] bool await_ready() const noexcept { return !request.in_flight; }
  void await_suspend(std::coroutine_handle<> handle) noexcept { request.waiting = handle; }
  void await_resume() const noexcept {}
};

Session::Session(std::unique_ptr<Connection> connection, std::uint16_t lun,
                 std::chrono::milliseconds command_timeout)
    : connection_(std::move(connection)), lun_(lun), command_timeout_(command_timeout) {
  connection_->set_user(this);
}

Session::~Session() {
  connection_->set_user(nullptr);
  // libiscsi reports the end of a reset that was not answered.
  if (reset_) connection_->end(Error(ErrorKind::kUnreachable, "the session was closed"));
}

Task<CommandResult> Session::execute(RequestContext& context, const ScsiCommand& command) {
  context.check();
  if (connection_->ended()) throw connection_->failure();
  Clock::time_point now = Clock::now();
  if (full() || !waiting_.empty()) {
    co_await wait_for_place(context, command);
    now = Clock::now();
  } else {
    ++entered_;
  }
  struct Place {
    Session& session;
    ~Place() { session.leave(); }
  } const place{*this};
  if (connection_->ended()) throw connection_->failure();
  if (command.send_by && now >= *command.send_by) throw not_sent(command);
  if (in_doubt_ && command.not_in_doubt) {
    throw Error(ErrorKind::kUnreachable, "what LUN the session leads to is not known");
  }

  context.check_revocation();  // it may have waited long for its place
  Request request{*this, context, command, now};
  start(request);
  co_await Answer{request};
  const std::uint64_t received = connection_->tap().take(request.task->itt);
  if (!request.status) {
    const Error& failure = connection_->failure();
    if (command.out_size() != 0) {
      throw Error(ErrorKind::kOutcomeUnknown,
                  fmt::format("{} was sent and not answered: {}", command_name(command.cdb),
                              failure.message()));
    }
    throw failure;
  }
  const std::size_t asked = command.size();
  CommandResult result = result_of(*request.task, *request.status, asked);
  if (!command.in.empty() && result.succeeded() && connection_->tap().active()) {
    const std::size_t absent = asked - std::min<std::uint64_t>(received, asked);
    result.missing_bytes = std::max(result.missing_bytes, absent);
  }
  if (!result.succeeded()) {
    result.refusal_took = Clock::now() - request.started;
  } else {
    (command.in.empty() ? stats_.bytes_written : stats_.bytes_read) += asked - result.missing_bytes;
  }
  co_return result;
}

Task<void> Session::reset_lun(RequestContext& context) {
  if (connection_->ended()) throw connection_->failure();
  reset_ = std::make_unique<Reset>(connection_->reactor());
  if (iscsi_task_mgmt_lun_reset_async(connection_->context(), encoded_lun(lun_),
                                      &Callbacks::on_reset, reset_.get()) != 0) {
    throw Error(ErrorKind::kUnsupported, "LOGICAL UNIT RESET could not be sent");
  }
  connection_->queued();
  co_await reset_->told.until(context);
  if (connection_->ended()) throw connection_->failure();
  if (!reset_->answered) {
    context.check();
    throw Error(ErrorKind::kInternal, "a wait for LOGICAL UNIT RESET ended without a reason");
  }
  if (reset_->response == ISCSI_TMR_FUNC_COMPLETE) co_return;
  throw Error(ErrorKind::kUnsupported,
              reset_->response
                  ? fmt::format("LOGICAL UNIT RESET was refused: response {}", *reset_->response)
                  : std::string("LOGICAL UNIT RESET was given up"));
}

SessionNames Session::names() const {
  const ConnectionOptions& options = connection_->options();
  return {.initiator = options.initiator_name,
          .target = options.target ? options.target->spelling() : std::string(),
          .lun = lun_,
          .portal = connection_->address().text(),
          .chap = options.chap.method()};
}

SessionState Session::state() const {
  if (!connection_->ended()) return {};
  return {
      .kind = SessionState::Kind::kLost, .outages = 1, .reason = connection_->failure().message()};
}

bool Session::full() const noexcept {
  // While a refused write drains nothing new is sent, so that the draining comes to its end.
  return entered_ >= kMaxInFlight || !answered_.empty();
}

Task<void> Session::wait_for_place(RequestContext& context, const ScsiCommand& command) {
  Waiter waiter(connection_->reactor());
  waiting_.push_back(&waiter);
  co_await waiter.admitted.until(context, command.send_by.value_or(Clock::time_point::max()));
  if (waiter.in) co_return;
  waiting_.remove(&waiter);
  if (connection_->ended()) throw connection_->failure();
  context.check();
  throw not_sent(command);
}

void Session::leave() noexcept {
  --entered_;
  admit_waiting();
}

void Session::admit_waiting() noexcept {
  while (!waiting_.empty() && !full()) {
    Waiter& next = *waiting_.front();
    waiting_.pop_front();
    ++entered_;
    next.in = true;
    next.admitted.wake();
  }
}

void Session::start(Request& request) {
  const std::uint16_t lun = encoded_lun(request.command.lun.value_or(lun_));
  if (iscsi_scsi_command_async(connection_->context(), lun, request.task.get(),
                               &Callbacks::on_command, nullptr, &request) != 0) {
    // It was not sent. What else is in flight is as good as lost: libiscsi is leaving.
    connection_->end(Error(ErrorKind::kUnreachable, "the session takes no more commands"));
    throw connection_->failure();
  }
  if (spare_.empty()) spare_.push_back(nullptr);
  request.place = spare_.begin();
  *request.place = &request;
  in_flight_.splice(in_flight_.end(), spare_, request.place);
  answer_bytes_ += answer_bytes(request.command);
  connection_->tap().expect(request.task->itt);
  request.in_flight = true;
  ++stats_.commands;
  connection_->queued();
}

/// Ends the first of `from`.
void Session::finish_first(Requests& from) noexcept {
  Request& request = *from.front();
  spare_.splice(spare_.end(), from, from.begin());
  request.in_flight = false;
  if (request.waiting) connection_->reactor().defer(request.waiting);
}

/// A write may be refused before all of its data was sent, and libiscsi 1.19 goes on sending it out
/// of the caller's buffer, by way of the task.
bool Session::must_wait(const Request& answered) const noexcept {
  const bool refused_write =
      answered.command.out_size() != 0 && answered.status != ScsiStatus::kGood;
  return refused_write && connection_->sending();
}

void Session::on_progress() noexcept {
  if (reset_ && reset_->answered) reset_->told.wake();
  // In the order of the answers: one may say that those behind it do not count.
  while (!answered_.empty() && !must_wait(*answered_.front())) finish_first(answered_);
  if (answered_.empty()) admit_waiting();
}

Outstanding Session::outstanding() const noexcept {
  return {.commands = in_flight_.size(), .answer_bytes = answer_bytes_};
}

/// How long it may go unanswered.
Session::Clock::duration Session::limit_of(const Request& request) const noexcept {
  Clock::duration limit = command_timeout_;
  // What is in a cache takes its time to reach the medium.
  if (is_flush(request.command.cdb)) limit += limit / 2;
  constexpr std::chrono::minutes kLong{1};
  if (command_timeout_ > kLong && request.context.cancelled()) {
    // It can only end with the session, and those of others go again over the next one. As flushes
    // are slow, and a lost session may cost what they are to make durable, they have longer.
    constexpr std::chrono::seconds kGivenUp{10};
    constexpr std::chrono::seconds kFlushGivenUp{60};
    limit =
        std::min<Clock::duration>(limit, is_flush(request.command.cdb) ? kFlushGivenUp : kGivenUp);
  }
  if (!request.command.due) return limit;
  return std::min(limit, *request.command.due - request.started);
}

void Session::on_tick() noexcept {
  const auto now = Clock::now();
  for (const Requests* requests : {&in_flight_, &answered_}) {
    const auto late = std::find_if(requests->begin(), requests->end(), [&](const Request* request) {
      return now >= request->started + limit_of(*request);
    });
    if (late == requests->end()) continue;
    // Looked once a second: the limit is what counts.
    const auto waited = std::min(now - (*late)->started, limit_of(**late));
    connection_->end(
        Error(ErrorKind::kUnreachable,
              fmt::format("{} did not answer {} for {} s", connection_->address().text(),
                          command_name((*late)->command.cdb),
                          std::chrono::round<std::chrono::seconds>(waited).count())));
    return;
  }
}

void Session::on_end() noexcept {
  left_writes_ = std::any_of(in_flight_.begin(), in_flight_.end(), [](const Request* request) {
    return request->command.out_size() != 0;
  });
  // The context is gone: nothing refers to the tasks and buffers any more.
  for (Requests* requests : {&answered_, &in_flight_}) {
    while (!requests->empty()) finish_first(*requests);
  }
  for (Waiter* waiter : waiting_) waiter->admitted.wake();
  if (reset_) reset_->told.wake();
  if (ended_) ended_();
}

}  // namespace lunfs::iscsi

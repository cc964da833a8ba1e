#include "fs/channel.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <new>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/log.h"

namespace lunfs::fs {

namespace {

/// Requests read in one turn: enough to find neighbours, few enough to keep the LUN's replies
/// waiting for microseconds only.
constexpr int kBatch = 64;

/// Where in a slab a request is read to: a write's payload, behind its headers, begins a page then,
/// which the copies of it, the kernel's too, take less time for.
constexpr std::size_t kRequestOffset = 4096 - sizeof(fuse_in_header) - sizeof(fuse_write_in);
static_assert(kRequestOffset + (1 << 20) + 4096 <= SlabPool::kSlabBytes,
              "room for what libfuse reads at once: the longest payload and its header");

/// fuse_args that owns its words.
class FuseArguments {
 public:
  explicit FuseArguments(const std::vector<std::string>& options) {
    add("lunfs");
    for (const std::string& option : options) {
      add("-o");
      add(option);
    }
  }
  FuseArguments(const FuseArguments&) = delete;
  FuseArguments& operator=(const FuseArguments&) = delete;
  ~FuseArguments() { fuse_opt_free_args(&args_); }

  [[nodiscard]] fuse_args* get() noexcept { return &args_; }

 private:
  void add(const std::string& word) {
    if (fuse_opt_add_arg(&args_, word.c_str()) != 0) throw std::bad_alloc();
  }
  fuse_args args_ = FUSE_ARGS_INIT(0, nullptr);
};

[[gnu::format(printf, 2, 0)]] void log_libfuse(fuse_log_level level, const char* format,
                                               va_list arguments) {
  std::array<char, 512> line{};
  vsnprintf(line.data(), line.size(), format, arguments);
  std::string_view text(line.data());
  while (text.ends_with('\n')) text.remove_suffix(1);
  if (level <= FUSE_LOG_ERR) {
    log::error("{}", text);
  } else if (level == FUSE_LOG_DEBUG) {
    log::debug("{}", text);
  } else {
    log::warn("{}", text);
  }
}

}  // namespace

Channel::Channel(Reactor& reactor, SlabPool& slabs, const fuse_lowlevel_ops& operations,
                 void* user_data, const std::vector<std::string>& options)
    : reactor_(reactor), slabs_(slabs), user_data_(user_data) {
  fuse_set_log_func(log_libfuse);
  FuseArguments arguments(options);
  session_.reset(fuse_session_new(arguments.get(), &operations, sizeof operations, this));
  if (!session_) throw Error(ErrorKind::kUsage, "libfuse refused the mount options");
}

Channel::~Channel() {
  stop();
  answers_.end();
  // Frees what belongs to an ended connection. libfuse would remove the mount of any other by its
  // path, where another file system may be by now.
  if (ended()) fuse_session_unmount(session_.get());
}

void Channel::undo_mount() noexcept {
  stop();
  answers_.end();
  fuse_session_unmount(session_.get());
}

bool Channel::ended() const noexcept {
  pollfd look{.fd = fuse_session_fd(session_.get()), .events = 0, .revents = 0};
  return look.fd >= 0 && poll(&look, 1, 0) == 1 && (look.revents & POLLERR) != 0;
}

void Channel::mount(const std::string& mount_point, std::function<void()> on_end) {
  if (fuse_session_mount(session_.get(), mount_point.c_str()) != 0) {
    throw Error(ErrorKind::kPermission, fmt::format("{}: mounting failed", mount_point))
        .because("/dev/fuse, fusermount3 or the directory's permissions")
        .advise(
            "check that fuse3 is installed, that /dev/fuse is there, and that the directory "
            "is yours; allow_other needs user_allow_other in /etc/fuse.conf");
  }
  on_end_ = std::move(on_end);
  take_answers();
  watch_for_requests();
}

/// Lets libfuse read as ever and give its answers to the batch.
void Channel::take_answers() {
  const int fd = fuse_session_fd(session_.get());
  fuse_custom_io calls{};
  calls.read = [](int device, void* buffer, std::size_t size, void* /*channel*/) {
    return ::read(device, buffer, size);
  };
  calls.writev = [](int /*fd*/, iovec* parts, int count, void* channel) {
    return static_cast<Channel*>(channel)->answers_.add({parts, static_cast<std::size_t>(count)});
  };
  // Without memory for it libfuse writes each answer itself.
  if (fuse_session_custom_io(session_.get(), &calls, fd) == 0) answers_.begin(reactor_, fd);
}

void Channel::watch_for_requests() {
  serving_ = true;
  const int fd = fuse_session_fd(session_.get());
  if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) throw system_error(errno, "/dev/fuse");
  const std::uint32_t wake_one = tell_others_ ? EPOLLEXCLUSIVE : 0U;
  watch_ = {};  // first: a descriptor is watched once
  watch_ = reactor_.watch(fd, EPOLLIN | wake_one,
                          [](std::uint32_t) { /* this turn's serve() sees to it */ });
  serve_ = reactor_.after_handlers([this] { serve(); });
}

void Channel::stop() {
  serving_ = false;
  stopped_ = true;
  watch_ = {};
  serve_ = {};
}

SlabPool::Slab Channel::keep_slab() { return std::move(current_); }

void Channel::serve() {
  for (int i = 0; i < kBatch; ++i) {
    if (!serve_one()) break;
  }
  if (fuse_session_exited(session_.get()) == 0) return;
  stop();
  if (on_end_) std::exchange(on_end_, nullptr)();
}

bool Channel::serve_one() {
  if (!current_.valid()) current_ = slabs_.take();
  fuse_buf buffer{};
  buffer.mem = current_.data() + kRequestOffset;
  buffer.size = SlabPool::kSlabBytes - kRequestOffset;
  const int length = fuse_session_receive_buf(session_.get(), &buffer);
  if (length == -EINTR || length == -ENOENT) return true;  // an interrupted request: the next one
  if (length == -EAGAIN) return false;
  if (length <= 0) {
    fuse_session_exit(session_.get());
    return false;
  }
  const std::span<std::byte> request =
      current_.first(kRequestOffset + static_cast<std::size_t>(length)).subspan(kRequestOffset);
  if (tell_others_) share_what_concerns_all(request);
  newer_request_ = make_known(request);
  fuse_session_process_buf(session_.get(), &buffer);
  return fuse_session_exited(session_.get()) == 0;
}

}  // namespace lunfs::fs

#include "fs/daemon.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>

#include "base/console.h"
#include "base/error.h"
#include "base/exit_codes.h"
#include "base/file_descriptor.h"
#include "base/log.h"
#include "fs/mount.h"
#include "fs/mount_point.h"
#include "fs/options.h"
#include "fs/service_manager.h"
#include "fs/unmount.h"
#include "fs/watcher.h"

namespace lunfs::fs {

namespace {

constexpr int kMountUsage = 1;    // mount(8)
constexpr int kMountFailed = 32;  // mount(8)

/// How this program was called, and so how its exit status reads.
struct Manners {
  bool as_mount_helper = false;

  [[nodiscard]] int status_of(const Error& error) const {
    if (!as_mount_helper) return exit_code(error.kind());
    return error.kind() == ErrorKind::kUsage ? kMountUsage : kMountFailed;
  }
  [[nodiscard]] std::string text_of(const Error& error) const {
    std::string text = "lunfs: " + three_part_text(error) + "\n";
    if (as_mount_helper) text += fmt::format("  (code {})\n", exit_code(error.kind()));
    return text;
  }
};

void prepare_process() {
  // A target that hangs up must not end the daemon by SIGPIPE.
  signal(SIGPIPE, SIG_IGN);
  // No core dump, and no look into our memory by others of the same user: secrets are in it.
  prctl(PR_SET_DUMPABLE, 0);
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
  sigprocmask(SIG_BLOCK, &set, nullptr);
}

/// Standard streams lead nowhere from now on, and no directory is held.
void leave_terminal() {
  const FileDescriptor null(open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null.get(), stream);
  if (chdir("/") != 0) log::warn("the daemon keeps its directory");
}

void start_log(const MountOptions& options, bool attached) {
  if (options.log_file) {
    log::configure(log::Sink::kFile, options.log_level, *options.log_file);
  } else if (attached) {
    log::configure(log::Sink::kStderr, options.log_level);
  } else {
    log::configure(log::Sink::kSyslog, options.log_level);
  }
}

void report_notices(const std::vector<std::string>& notices) {
  for (const std::string& line : notices) log::info("{}", line);
}

/// A Mount that is left alone, not destroyed, while one of its threads hangs: the process ends at
/// once and with it the thread.
class MountOwner {
 public:
  MountOwner(const MountOptions& options, Watcher& watcher, int parent_fd)
      : mount_(std::make_unique<Mount>(options, watcher, parent_fd)) {}
  MountOwner(const MountOwner&) = delete;
  MountOwner& operator=(const MountOwner&) = delete;
  ~MountOwner() {
    if (!mount_->idle()) static_cast<void>(mount_.release());
  }
  Mount& operator*() const noexcept { return *mount_; }

 private:
  std::unique_ptr<Mount> mount_;
};

int serve_in_foreground(MountOptions options, const Manners& manners) {
  prepare_process();
  options.mount_point = checked_mount_point(options.mount_point);
  Watcher watcher(options.mount_point);
  start_log(options, true);
  const MountOwner mount(options, watcher, -1);
  try {
    const std::string lost = (*mount).run(
        [&](const std::vector<std::string>& notices) {
          report_notices(notices);
          notify_service_manager("READY=1\nSTATUS=Mounted on " + options.mount_point);
        },
        [] { notify_service_manager("STOPPING=1\nSTATUS=Flushing and logging out"); });
    return lost.empty() ? 0 : exit_code(ErrorKind::kIo);
  } catch (...) {
    const Error error = current_error();
    print(stderr, manners.text_of(error));
    return manners.status_of(error);
  }
}

/// The daemon's side of the fork: one byte of status and a text go to the parent through `pipe`,
/// then the pipe closes.
class ParentLine {
 public:
  explicit ParentLine(FileDescriptor pipe) : pipe_(std::move(pipe)) {}

  void tell(int status, const std::string& text) {
    const std::string message = std::string(1, static_cast<char>(status)) + text;
    // A parent that is gone needs no answer.
    if (write(pipe_.get(), message.data(), message.size()) < 0) log::debug("the parent has ended");
    pipe_.reset();
  }
  [[nodiscard]] bool open() const noexcept { return pipe_.valid(); }
  [[nodiscard]] int fd() const noexcept { return pipe_.get(); }

 private:
  FileDescriptor pipe_;
};

int serve_as_daemon(MountOptions options, const Manners& manners, FileDescriptor pipe) {
  setsid();
  prepare_process();
  ParentLine parent(std::move(pipe));
  try {
    options.mount_point = checked_mount_point(options.mount_point);
    Watcher watcher(options.mount_point);
    start_log(options, false);
    const MountOwner mount(options, watcher, parent.fd());
    try {
      const std::string lost = (*mount).run([&](const std::vector<std::string>& notices) {
        std::string text;
        for (const std::string& line : notices) text += "lunfs: " + line + "\n";
        report_notices(notices);
        leave_terminal();
        parent.tell(0, text);
      });
      if (parent.open()) {
        parent.tell(kMountFailed, "lunfs: the mount was removed before it was usable\n");
      }
      return lost.empty() ? 0 : exit_code(ErrorKind::kIo);
    } catch (...) {
      // Told here, before the Mount ends, which may take a while.
      const Error error = current_error();
      log::error("{}", error.message());
      if (parent.open()) parent.tell(manners.status_of(error), manners.text_of(error));
      return manners.status_of(error);
    }
  } catch (...) {
    const Error error = current_error();
    if (parent.open()) parent.tell(manners.status_of(error), manners.text_of(error));
    return manners.status_of(error);
  }
}

/// The parent's side: waits until the mount is usable or has failed.
int wait_for_daemon(const FileDescriptor& pipe, pid_t child) {
  std::string message;
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t length = read(pipe.get(), buffer.data(), buffer.size());
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) break;
    message.append(buffer.data(), static_cast<std::size_t>(length));
  }
  if (!message.empty()) {
    print(stderr, message.substr(1));
    return static_cast<unsigned char>(message[0]);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  print(stderr,
        fmt::format("lunfs: the daemon ended before the mount was usable (status {})\n", status));
  return exit_code(ErrorKind::kInternal);
}

int mount_in_background(const MountOptions& options, const Manners& manners) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw system_error(errno, "starting the daemon");
  FileDescriptor reading(ends[0]);
  FileDescriptor writing(ends[1]);
  const pid_t child = fork();
  if (child < 0) throw system_error(errno, "starting the daemon");
  if (child == 0) {
    reading.reset();
    // _exit: what the parent registered to run at exit is not the daemon's to run.
    _exit(serve_as_daemon(options, manners, std::move(writing)));
  }
  writing.reset();
  return wait_for_daemon(reading, child);
}

}  // namespace

int run_program(const std::string& program, const std::vector<std::string>& arguments) {
  if (program == kWatcherName && arguments.size() == 1) return run_watcher(arguments[0]);
  Manners manners;
  manners.as_mount_helper = std::filesystem::path(program).filename() == "mount.lunfs";
  try {
    const Command command = parse_command(arguments);
    switch (command.kind) {
      case Command::Kind::kHelp:
        print(stdout, help_text());
        return 0;
      case Command::Kind::kVersion:
        print(stdout, "lunfs " LUNFS_VERSION "\n");
        return 0;
      case Command::Kind::kUnmount:
        unmount_and_wait(command.unmount_point);
        return 0;
      case Command::Kind::kMount:
        return command.mount.foreground ? serve_in_foreground(command.mount, manners)
                                        : mount_in_background(command.mount, manners);
    }
  } catch (...) {
    const Error error = current_error();
    print(stderr, manners.text_of(error));
    return manners.status_of(error);
  }
  return 0;
}

}  // namespace lunfs::fs

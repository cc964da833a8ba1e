#include "tests/unit/iscsi/tgt_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>

#include "base/file_descriptor.h"

extern char** environ;

namespace lunfs::testing {

namespace {

std::uint16_t free_port() {
  const FileDescriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd.get(), generic, size) != 0 || getsockname(fd.get(), generic, &size) != 0) {
    throw std::runtime_error("no free port");
  }
  return ntohs(address.sin_port);
}

pid_t start(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  const int fault = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (fault != 0) throw std::runtime_error("cannot start " + arguments[0]);
  return pid;
}

bool run(const std::vector<std::string>& arguments) {
  const pid_t pid = start(arguments);
  int status = 0;
  return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// tgtd removes neither its control socket nor the lock beside it when it is killed. The number may
/// be another server's by now: then this one never had it.
void remove_control_files(int control) {
  const std::string path = "/var/run/tgtd/socket." + std::to_string(control);
  std::ifstream bound("/proc/net/unix");
  std::string line;
  while (std::getline(bound, line)) {
    if (line.ends_with(" " + path)) return;
  }
  unlink(path.c_str());
  unlink((path + ".lock").c_str());
}

}  // namespace

TgtServer::TgtServer(std::string host) : host_(std::move(host)) {
  constexpr int kAttempts = 5;
  std::random_device random;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    port_ = free_port();
    control_ = std::uniform_int_distribution<int>(100, 30000)(random);
    const std::string address = "portal=" + portal().text();
    pid_ = start({"tgtd", "-f", "-C", std::to_string(control_), "--iscsi", address});
    for (int i = 0; i < 100; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      if (waitpid(pid_, nullptr, WNOHANG) == pid_) {  // the port or the control socket was taken
        pid_ = -1;
        remove_control_files(control_);
        break;
      }
      if (run({"tgtadm", "-C", std::to_string(control_), "--op", "show", "--mode", "sys"})) return;
    }
    kill_now();
  }
  throw std::runtime_error("tgtd does not come up");
}

TgtServer::~TgtServer() { kill_now(); }

void TgtServer::kill_now() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
  remove_control_files(control_);
}

void TgtServer::send_signal(int number) const { kill(pid_, number); }

void TgtServer::admin(const std::vector<std::string>& arguments) const {
  std::vector<std::string> all = {"tgtadm", "-C", std::to_string(control_), "--lld", "iscsi"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  if (!run(all)) {
    std::string text = "tgtadm failed:";
    for (const std::string& argument : arguments) text += " " + argument;
    throw std::runtime_error(text);
  }
}

void TgtServer::add_target(int tid, const std::string& iqn) const {
  const std::string id = std::to_string(tid);
  admin({"--op", "new", "--mode", "target", "--tid", id, "-T", iqn});
  admin({"--op", "bind", "--mode", "target", "--tid", id, "-I", "ALL"});
}

std::string TgtServer::add_lun(int tid, int lun, std::uint64_t size_bytes,
                               std::uint32_t block_size_bytes) const {
  std::string path = dir_.file("lun-" + std::to_string(tid) + "-" + std::to_string(lun));
  const FileDescriptor fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid() || ftruncate(fd.get(), static_cast<off_t>(size_bytes)) != 0) {
    throw std::runtime_error("cannot make " + path);
  }
  admin({"--op", "new", "--mode", "logicalunit", "--tid", std::to_string(tid), "--lun",
         std::to_string(lun), "-b", path, "--blocksize", std::to_string(block_size_bytes)});
  return path;
}

void TgtServer::set_lun(int tid, int lun, const std::string& parameters) const {
  admin({"--op", "update", "--mode", "logicalunit", "--tid", std::to_string(tid), "--lun",
         std::to_string(lun), "--params", parameters});
}

void TgtServer::add_account(const std::string& user, const std::string& password) const {
  admin({"--op", "new", "--mode", "account", "--user", user, "--password", password});
}

void TgtServer::bind_account(int tid, const std::string& user, bool outgoing) const {
  std::vector<std::string> arguments = {
      "--op", "bind", "--mode", "account", "--tid", std::to_string(tid), "--user", user};
  if (outgoing) arguments.emplace_back("--outgoing");
  admin(arguments);
}

}  // namespace lunfs::testing

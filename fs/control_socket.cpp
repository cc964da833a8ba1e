#include "fs/control_socket.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/log.h"

namespace lunfs::fs {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostClients = 16;
constexpr std::size_t kLongestLine = 4096;

FileDescriptor listen_on(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    throw Error(ErrorKind::kUsage, "the control socket's path is too long");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  FileDescriptor listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener.valid()) throw system_error(errno, "making the control socket");
  unlink(path.c_str());  // the name holds our pid: whoever left it there has ended
  const mode_t old_mask = umask(0177);
  const int bound =
      bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  umask(old_mask);
  if (bound != 0 || listen(listener.get(), kMostClients) != 0) throw system_error(errno, path);
  return listener;
}

/// Empty if there is no such text.
std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Of the status what names the mount and whom it is logged in to: short, however many disks it
/// has.
Json sessions_of(const Json& status) {
  Json result = Json::object();
  for (const char* key : {"pid", "source", "mount_point", "sessions"}) {
    if (status.contains(key)) result[key] = status[key];
  }
  return result;
}

Json failure(const Json& id, const std::string& text) { return {{"id", id}, {"error", text}}; }

}  // namespace

ControlSocket::ControlSocket(Reactor& reactor, std::string path, StatusSource status)
    : reactor_(reactor), path_(std::move(path)), status_(std::move(status)) {
  if (path_.empty()) return;
  listener_ = listen_on(path_);
  watch_ = reactor_.watch(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept_one(); });
}

ControlSocket::~ControlSocket() {
  if (listener_.valid()) unlink(path_.c_str());
}

bool ControlSocket::may_ask(int socket) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return false;
  return peer.uid == 0 || peer.uid == geteuid();
}

void ControlSocket::accept_one() {
  FileDescriptor socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket.valid() || clients_.size() >= kMostClients || !may_ask(socket.get())) return;
  const std::uint64_t key = ++last_key_;
  const int fd = socket.get();
  Client& client = clients_[key];
  client.socket = std::move(socket);
  client.watch = reactor_.watch(fd, EPOLLIN, [this, key](std::uint32_t) { receive(key); });
}

void ControlSocket::receive(std::uint64_t key) {
  Client& client = clients_.at(key);
  std::array<char, kLongestLine> buffer{};
  const ssize_t length = recv(client.socket.get(), buffer.data(), buffer.size(), 0);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (length <= 0 || client.input.size() + static_cast<std::size_t>(length) > kLongestLine) {
    client.watch = {};
    clients_.erase(key);
    return;
  }
  client.input.append(buffer.data(), static_cast<std::size_t>(length));
  for (std::size_t end = 0; (end = client.input.find('\n')) != std::string::npos;) {
    const std::string line = client.input.substr(0, end);
    client.input.erase(0, end + 1);
    answer(client, line);
  }
}

void ControlSocket::answer(Client& client, const std::string& line) {
  const Json request = Json::parse(line, nullptr, false);
  Json reply;
  if (!request.is_object() || !request.contains("id") || !request["id"].is_number_integer()) {
    reply = failure(nullptr, "a request is a JSON object with an integer id");
  } else if (const std::string command = text_of(request, "command"); command == "wait_end") {
    client.wait_end_ids.push_back(request["id"].get<std::int64_t>());
    return;
  } else if (command == "status") {
    reply = {{"id", request["id"]}, {"status", Json::parse(status_(), nullptr, false)}};
  } else if (command == "sessions") {
    reply = sessions_of(Json::parse(status_(), nullptr, false));
    reply["id"] = request["id"];
  } else {
    reply = failure(request["id"], "unknown command");
  }
  const std::string text = reply.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  // A peer that does not read its answer loses it: the daemon waits for nobody.
  if (send(client.socket.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    log::debug("a control client did not take its answer");
  }
}

void ControlSocket::tell_end(const std::string& lost) {
  for (auto& [key, client] : clients_) {
    for (const std::int64_t id : client.wait_end_ids) {
      const std::string text = Json{{"id", id}, {"ended", true}, {"lost", lost}}.dump(
                                   -1, ' ', false, Json::error_handler_t::replace) +
                               "\n";
      if (send(client.socket.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        log::debug("a control client was gone before the end");
      }
    }
  }
}

}  // namespace lunfs::fs

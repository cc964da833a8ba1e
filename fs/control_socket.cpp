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
/// How long a client may leave its answer lying.
constexpr std::chrono::seconds kPatience{30};

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

/// False if nobody knocks.
bool ControlSocket::accept_one() {
  FileDescriptor socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket.valid()) return false;
  if (clients_.size() >= kMostClients || !may_ask(socket.get())) return true;
  const std::uint64_t key = ++last_key_;
  const int fd = socket.get();
  Client& client = clients_[key];
  client.socket = std::move(socket);
  client.watch =
      reactor_.watch(fd, EPOLLIN, [this, key](std::uint32_t events) { handle(key, events); });
  return true;
}

void ControlSocket::handle(std::uint64_t key, std::uint32_t events) {
  Client& client = clients_.at(key);
  const bool waits_for_us = client.output.empty();
  const bool there = waits_for_us ? receive(client) : (events & (EPOLLHUP | EPOLLERR)) == 0;
  if (!there || !serve(key, client)) drop(key);
}

/// False if the client has gone or says too much.
bool ControlSocket::receive(Client& client) {
  std::array<char, kLongestLine> buffer{};
  const ssize_t length = recv(client.socket.get(), buffer.data(), buffer.size(), 0);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (length <= 0 || client.input.size() + static_cast<std::size_t>(length) > kLongestLine) {
    return false;
  }
  client.input.append(buffer.data(), static_cast<std::size_t>(length));
  return true;
}

/// Answers one line after the other; while an answer is not taken nothing more is read, so that a
/// client never holds the memory of two. False if the client has gone.
bool ControlSocket::serve(std::uint64_t key, Client& client) {
  while (true) {
    if (!push_out(client)) return false;
    if (!client.output.empty()) {
      client.watch.set_events(EPOLLOUT);
      return true;
    }
    const std::size_t end = client.input.find('\n');
    if (end == std::string::npos) break;
    const std::string line = client.input.substr(0, end);
    client.input.erase(0, end + 1);
    client.output = answer_to(client, line);
    if (client.output.empty()) continue;
    client.patience = reactor_.at(Reactor::Clock::now() + kPatience, [this, key] {
      log::debug("a control client did not take its answer");
      drop(key);
    });
  }
  client.watch.set_events(EPOLLIN);
  return true;
}

/// Sends what the socket takes. False if the client has gone.
bool ControlSocket::push_out(Client& client) {
  while (client.sent < client.output.size()) {
    const std::string_view rest = std::string_view(client.output).substr(client.sent);
    const ssize_t length =
        send(client.socket.get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (length < 0) return errno == EAGAIN || errno == EINTR;
    client.sent += static_cast<std::size_t>(length);
  }
  client.output = {};
  client.sent = 0;
  client.patience = {};
  return true;
}

/// Empty where the answer comes later.
std::string ControlSocket::answer_to(Client& client, const std::string& line) {
  const Json request = Json::parse(line, nullptr, false);
  Json reply;
  if (!request.is_object() || !request.contains("id") || !request["id"].is_number_integer()) {
    reply = failure(nullptr, "a request is a JSON object with an integer id");
  } else if (const std::string command = text_of(request, "command"); command == "wait_end") {
    client.wait_end_ids.push_back(request["id"].get<std::int64_t>());
    return {};
  } else if (command == "status") {
    reply = {{"id", request["id"]}, {"status", Json::parse(status_(), nullptr, false)}};
  } else if (command == "sessions") {
    reply = sessions_of(Json::parse(status_(), nullptr, false));
    reply["id"] = request["id"];
  } else {
    reply = failure(request["id"], "unknown command");
  }
  return reply.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void ControlSocket::drop(std::uint64_t key) {
  // The watch first: it must end while its descriptor is open.
  clients_.at(key).watch = {};
  clients_.erase(key);
}

/// What was asked before the end and not yet read: a mount may end in the same turn.
void ControlSocket::take_what_waits() {
  if (!listener_.valid()) return;
  for (std::size_t i = 0; i < kMostClients && accept_one(); ++i) {
  }
  std::vector<std::uint64_t> keys;
  for (const auto& [key, client] : clients_) keys.push_back(key);
  for (const std::uint64_t key : keys) handle(key, 0);
}

void ControlSocket::tell_end(const std::string& lost) {
  take_what_waits();
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

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/file_descriptor.h"
#include "base/reactor.h"

namespace lunfs::fs {

/// The socket through which tools talk to a running mount: JSON lines, one request a line, one
/// answer a line. Page: docs/control.md. The peer must be root or the daemon's user.
/// The reactor's thread only.
class ControlSocket {
 public:
  using StatusSource = std::function<std::string()>;

  /// Listens on `path` (mode 0600); a stale socket of an ended daemon is replaced. An empty path
  /// listens nowhere.
  ControlSocket(Reactor& reactor, std::string path, StatusSource status);
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;
  ~ControlSocket();

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  /// Answers everybody who asked to be told of the end, also those whose question has come but was
  /// not read yet; `lost` says what was not saved, empty =
  /// nothing.
  void tell_end(const std::string& lost);

 private:
  struct Client {
    FileDescriptor socket;
    Reactor::Watch watch;
    std::string input;
    std::string output;    ///< an answer that the socket has not taken all of
    std::size_t sent = 0;  ///< of output
    Reactor::Timer patience;
    std::vector<std::int64_t> wait_end_ids;
  };

  bool accept_one();
  void take_what_waits();
  void handle(std::uint64_t key, std::uint32_t events);
  bool receive(Client& client);
  bool serve(std::uint64_t key, Client& client);
  bool push_out(Client& client);
  [[nodiscard]] std::string answer_to(Client& client, const std::string& line);
  void drop(std::uint64_t key);
  [[nodiscard]] static bool may_ask(int socket);

  Reactor& reactor_;
  std::string path_;
  StatusSource status_;
  FileDescriptor listener_;
  std::uint64_t last_key_ = 0;
  std::map<std::uint64_t, Client> clients_;
  Reactor::Watch watch_;
};

}  // namespace lunfs::fs

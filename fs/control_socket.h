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

  /// Answers everybody who asked to be told of the end; `lost` says what was not saved, empty =
  /// nothing.
  void tell_end(const std::string& lost);

 private:
  struct Client {
    FileDescriptor socket;
    Reactor::Watch watch;
    std::string input;
    std::vector<std::int64_t> wait_end_ids;
  };

  void accept_one();
  void receive(std::uint64_t key);
  void answer(Client& client, const std::string& line);
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

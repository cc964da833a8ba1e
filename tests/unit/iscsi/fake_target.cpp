#include "tests/unit/iscsi/fake_target.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <stdexcept>
#include <utility>

namespace lunfs::testing {

FakeTarget::FakeTarget(Options options)
    : options_(std::move(options)),
      listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      bytes_(options_.blocks * options_.block_size_bytes),
      durable_(bytes_),
      counts_(256),
      counts_before_reset_(256) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (options_.unsolicited_data) {  // so that what is sent waits at the initiator
    const int few = 4096;
    const int small_segment = 1000;  // the sender's buffer grows with it
    setsockopt(listener_.get(), SOL_SOCKET, SO_RCVBUF, &few, sizeof(few));
    setsockopt(listener_.get(), IPPROTO_TCP, TCP_MAXSEG, &small_segment, sizeof(small_segment));
  }
  if (bind(listener_.get(), generic, size) != 0 || listen(listener_.get(), 8) != 0 ||
      getsockname(listener_.get(), generic, &size) != 0) {
    throw std::runtime_error("the fake target cannot listen");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::jthread([this] { serve(); });
}

FakeTarget::~FakeTarget() {
  ending_ = true;
  shutdown(listener_.get(), SHUT_RDWR);
  if (const int fd = connection_; fd >= 0) shutdown(fd, SHUT_RDWR);
}

void FakeTarget::note_login(std::span<const std::byte> header) {
  const std::lock_guard lock(mutex_);
  session_ids_.emplace_back(header.begin() + 8, header.begin() + 14);
}

std::vector<std::vector<std::byte>> FakeTarget::session_ids() const {
  const std::lock_guard lock(mutex_);
  return session_ids_;
}

void FakeTarget::drop_connection() const {
  if (const int fd = connection_; fd >= 0) shutdown(fd, SHUT_RDWR);
}

int FakeTarget::resets() const {
  const std::lock_guard lock(mutex_);
  return resets_;
}

std::size_t FakeTarget::count_before_reset(std::uint8_t opcode) const {
  const std::lock_guard lock(mutex_);
  return counts_before_reset_[opcode];
}

int FakeTarget::pings() const {
  const std::lock_guard lock(mutex_);
  return pings_;
}

bool FakeTarget::serve_next() {
  const FileDescriptor fd(accept(listener_.get(), nullptr, nullptr));
  if (!fd.valid()) return false;
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  connection_ = fd.get();
  if (!ending_) serve_connection(fd.get());
  connection_ = -1;
  return true;
}

void FakeTarget::serve() {
  while (!ending_ && serve_next()) ++connections_ended_;
}

}  // namespace lunfs::testing

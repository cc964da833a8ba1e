#include "iscsi/socket_calls.h"

#include <dlfcn.h>
#include <sys/socket.h>

#include <cstring>

namespace lunfs::iscsi {

namespace {

/// Of the Scope that lives on this thread. A global, because libc's functions have no place for an
/// argument of ours.
thread_local SocketCalls* current_calls = nullptr;

template <typename Function>
Function* next_definition(const char* name) {
  void* const symbol = dlsym(RTLD_NEXT, name);
  Function* function = nullptr;
  static_assert(sizeof(function) == sizeof(symbol));
  std::memcpy(&function, &symbol, sizeof(function));
  return function;
}

std::span<const iovec> all(const iovec* vectors, int count) {
  return {vectors, static_cast<std::size_t>(count)};
}

}  // namespace

SocketCalls::Scope::Scope(SocketCalls& calls) noexcept { current_calls = &calls; }
SocketCalls::Scope::~Scope() { current_calls = nullptr; }

}  // namespace lunfs::iscsi

// Ahead of libc's for the whole program: a shared libiscsi calls these. By asm names, as a
// fortified <sys/socket.h> has definitions of its own.
extern "C" {

ssize_t lunfs_recv(int fd, void* buffer, std::size_t size, int flags) __asm__("recv");
ssize_t lunfs_readv(int fd, const iovec* vectors, int count) __asm__("readv");
ssize_t lunfs_send(int fd, const void* buffer, std::size_t size, int flags) __asm__("send");
ssize_t lunfs_writev(int fd, const iovec* vectors, int count) __asm__("writev");

ssize_t lunfs_recv(int fd, void* buffer, std::size_t size, int flags) {
  if (lunfs::iscsi::current_calls != nullptr && flags == 0) {
    const iovec part{buffer, size};
    return lunfs::iscsi::current_calls->receive(fd, {&part, 1});
  }
  using Recv = ssize_t(int, void*, std::size_t, int);
  static Recv* const next = lunfs::iscsi::next_definition<Recv>("recv");
  return next(fd, buffer, size, flags);
}

ssize_t lunfs_readv(int fd, const iovec* vectors, int count) {
  if (lunfs::iscsi::current_calls != nullptr && count > 0) {
    return lunfs::iscsi::current_calls->receive(fd, lunfs::iscsi::all(vectors, count));
  }
  using Readv = ssize_t(int, const iovec*, int);
  static Readv* const next = lunfs::iscsi::next_definition<Readv>("readv");
  return next(fd, vectors, count);
}

ssize_t lunfs_send(int fd, const void* buffer, std::size_t size, int flags) {
  if (lunfs::iscsi::current_calls != nullptr && (flags & ~MSG_NOSIGNAL) == 0) {
    const iovec part{const_cast<void*>(buffer), size};  // iovec knows no bytes that are only read
    return lunfs::iscsi::current_calls->send(fd, {&part, 1});
  }
  using Send = ssize_t(int, const void*, std::size_t, int);
  static Send* const next = lunfs::iscsi::next_definition<Send>("send");
  return next(fd, buffer, size, flags);
}

ssize_t lunfs_writev(int fd, const iovec* vectors, int count) {
  if (lunfs::iscsi::current_calls != nullptr && count > 0) {
    return lunfs::iscsi::current_calls->send(fd, lunfs::iscsi::all(vectors, count));
  }
  using Writev = ssize_t(int, const iovec*, int);
  static Writev* const next = lunfs::iscsi::next_definition<Writev>("writev");
  return next(fd, vectors, count);
}

}  // extern "C"

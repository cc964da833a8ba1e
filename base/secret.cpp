#include "base/secret.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace lunfs {

SecretBuffer::SecretBuffer(std::size_t size) {
  if (size == 0) return;
  void* pages = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  // All three as far as system and limits allow: a login must not fail for them.
  madvise(pages, size, MADV_DONTDUMP);
  madvise(pages, size, MADV_WIPEONFORK);
  mlock(pages, size);
  pages_ = {static_cast<char*>(pages), detail::WipeAndUnmap{size}};
}

void detail::WipeAndUnmap::operator()(char* pages) const noexcept {
  explicit_bzero(pages, size);
  munmap(pages, size);
}

Secret::Secret(std::string_view text) {
  if (text.empty()) return;
  text_ = SecretBuffer(text.size() + 1);
  std::copy(text.begin(), text.end(), text_.bytes().begin());
}

std::string_view Secret::view() const noexcept {
  const std::span<const char> bytes = text_.bytes();
  return bytes.empty() ? std::string_view() : std::string_view(bytes.data(), bytes.size() - 1);
}

const char* Secret::c_str() const noexcept { return empty() ? "" : view().data(); }

}  // namespace lunfs

#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace lunfs {

namespace detail {

struct WipeAndUnmap {
  std::size_t size = 0;  ///< bytes
  void operator()(char* pages) const noexcept;
};

}  // namespace detail

/// Memory for secrets: pages of its own that are kept out of swap where this process may lock
/// memory (RLIMIT_MEMLOCK), out of core dumps and out of forked children; overwritten at the end.
/// One thread at a time.
class SecretBuffer {
 public:
  SecretBuffer() = default;
  /// `size` bytes, all zero. std::bad_alloc.
  explicit SecretBuffer(std::size_t size);

  [[nodiscard]] std::span<char> bytes() const noexcept {
    return {pages_.get(), pages_ ? pages_.get_deleter().size : 0};
  }

 private:
  std::unique_ptr<char, detail::WipeAndUnmap> pages_;
};

/// A short secret text in a SecretBuffer. Copies are as well kept as the original. Made of views,
/// so that no std::string with the same bytes has to be; there is no way to print one.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text);
  // Not explicit: what can be written into the source is no secret.
  Secret(const char* text) : Secret(std::string_view(text)) {}
  Secret(const Secret& other) : Secret(other.view()) {}
  Secret(Secret&& other) noexcept = default;
  Secret& operator=(const Secret& other) { return *this = Secret(other); }
  Secret& operator=(Secret&& other) noexcept = default;
  ~Secret() = default;

  [[nodiscard]] bool empty() const noexcept { return view().empty(); }
  [[nodiscard]] std::string_view view() const noexcept;
  /// Ends with a NUL byte; valid as long as the secret is not changed.
  [[nodiscard]] const char* c_str() const noexcept;

  friend bool operator==(const Secret& one, const Secret& other) noexcept {
    return one.view() == other.view();
  }

 private:
  SecretBuffer text_;  ///< with a NUL byte behind it; without bytes: empty
};

}  // namespace lunfs

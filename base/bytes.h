#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "base/checked.h"

/// Reading and writing integers at fixed places of byte buffers, bounds-checked, in either byte
/// order. A place outside the buffer is an Error of kind corrupt (reading) or internal (writing).
namespace lunfs {

using ByteSpan = std::span<std::byte>;
using ConstByteSpan = std::span<const std::byte>;

enum class ByteOrder { kLittle, kBig };

/// bytes[offset, offset + length), or an Error of kind corrupt that names both ranges.
inline ConstByteSpan sub_span(ConstByteSpan bytes, std::uint64_t offset, std::uint64_t length) {
  if (!range_fits<std::uint64_t>(offset, length, bytes.size())) {
    throw Error(ErrorKind::kCorrupt, fmt::format("needs bytes {} to {}, but there are only {}",
                                                 offset, offset + length, bytes.size()));
  }
  return bytes.subspan(offset, length);
}

namespace detail {

template <std::unsigned_integral T>
constexpr T swapped_if(T value, ByteOrder order) noexcept {
  constexpr bool kHostIsLittle = std::endian::native == std::endian::little;
  if ((order == ByteOrder::kLittle) == kHostIsLittle) return value;
  std::uint64_t result = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    result = (result << 8U) | ((static_cast<std::uint64_t>(value) >> (8U * i)) & 0xffU);
  }
  return static_cast<T>(result);
}

}  // namespace detail

template <std::unsigned_integral T>
T load(ConstByteSpan bytes, std::uint64_t offset, ByteOrder order) {
  T value{};
  std::memcpy(&value, sub_span(bytes, offset, sizeof(T)).data(), sizeof(T));
  return detail::swapped_if(value, order);
}

template <std::unsigned_integral T>
T load_le(ConstByteSpan bytes, std::uint64_t offset) {
  return load<T>(bytes, offset, ByteOrder::kLittle);
}

template <std::unsigned_integral T>
T load_be(ConstByteSpan bytes, std::uint64_t offset) {
  return load<T>(bytes, offset, ByteOrder::kBig);
}

template <std::unsigned_integral T>
void store(ByteSpan bytes, std::uint64_t offset, T value, ByteOrder order) {
  if (!range_fits<std::uint64_t>(offset, sizeof(T), bytes.size())) {
    throw Error(ErrorKind::kInternal,
                fmt::format("writes {} bytes at {} of {}", sizeof(T), offset, bytes.size()));
  }
  value = detail::swapped_if(value, order);
  std::memcpy(bytes.subspan(offset).data(), &value, sizeof(T));
}

template <std::unsigned_integral T>
void store_le(ByteSpan bytes, std::uint64_t offset, T value) {
  store(bytes, offset, value, ByteOrder::kLittle);
}

template <std::unsigned_integral T>
void store_be(ByteSpan bytes, std::uint64_t offset, T value) {
  store(bytes, offset, value, ByteOrder::kBig);
}

/// The bytes as characters; shares their storage.
inline std::string_view as_text(ConstByteSpan bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The characters as bytes; shares their storage.
inline ConstByteSpan as_byte_span(std::string_view text) noexcept {
  return std::as_bytes(std::span(text.data(), text.size()));
}

inline bool all_zero(ConstByteSpan bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace lunfs

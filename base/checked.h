#pragma once

#include <fmt/format.h>

#include <bit>
#include <concepts>
#include <limits>
#include <string_view>
#include <utility>

#include "base/error.h"

/// Arithmetic on untrusted numbers: every result is right or an Error of kind out_of_range.
namespace lunfs {

/// a + b; `what` names the sum in the error.
template <std::unsigned_integral T>
constexpr T checked_add(T a, T b, std::string_view what) {
  T sum{};
  if (__builtin_add_overflow(a, b, &sum)) {
    throw Error(ErrorKind::kOutOfRange, fmt::format("{}: {} + {} overflows", what, a, b));
  }
  return sum;
}

/// a * b; `what` names the product in the error.
template <std::unsigned_integral T>
constexpr T checked_mul(T a, T b, std::string_view what) {
  T product{};
  if (__builtin_mul_overflow(a, b, &product)) {
    throw Error(ErrorKind::kOutOfRange, fmt::format("{}: {} * {} overflows", what, a, b));
  }
  return product;
}

/// The same value in another integer type, or an Error.
template <std::integral To, std::integral From>
constexpr To checked_cast(From value, std::string_view what) {
  if (!std::in_range<To>(value)) {
    throw Error(ErrorKind::kOutOfRange, fmt::format("{}: {} does not fit", what, value));
  }
  return static_cast<To>(value);
}

/// True if [offset, offset + length) lies inside [0, size); never overflows.
template <std::unsigned_integral T>
constexpr bool range_fits(T offset, T length, T size) noexcept {
  return offset <= size && length <= size - offset;
}

/// value rounded down to a multiple of `alignment`, a power of two.
template <std::unsigned_integral T>
constexpr T align_down(T value, T alignment) noexcept {
  return value & ~(alignment - 1);
}

/// value rounded up to a multiple of `alignment`, a power of two.
template <std::unsigned_integral T>
constexpr T align_up(T value, T alignment, std::string_view what) {
  return align_down(checked_add(value, static_cast<T>(alignment - 1), what), alignment);
}

template <std::unsigned_integral T>
constexpr bool is_aligned(T value, T alignment) noexcept {
  return (value & (alignment - 1)) == 0;
}

}  // namespace lunfs

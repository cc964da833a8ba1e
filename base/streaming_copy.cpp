#include "base/streaming_copy.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace lunfs {

namespace {

/// What the CPU gathers before it goes to memory as a whole.
constexpr std::size_t kLineBytes = 64;

void copy(std::span<const std::byte> from, std::byte* to) noexcept {
  if (!from.empty()) std::memcpy(to, from.data(), from.size());
}

/// @param from  whole cache lines long, wherever it begins  @param to  at the start of a line
void copy_lines(std::span<const std::byte> from, std::byte* to) noexcept {
#ifdef __SSE2__
  for (; !from.empty(); from = from.subspan(kLineBytes), to += kLineBytes) {
    const auto* source = reinterpret_cast<const __m128i_u*>(from.data());
    auto* target = reinterpret_cast<__m128i*>(to);
    const __m128i first = _mm_loadu_si128(source);
    const __m128i second = _mm_loadu_si128(source + 1);
    const __m128i third = _mm_loadu_si128(source + 2);
    const __m128i fourth = _mm_loadu_si128(source + 3);
    _mm_stream_si128(target, first);
    _mm_stream_si128(target + 1, second);
    _mm_stream_si128(target + 2, third);
    _mm_stream_si128(target + 3, fourth);
  }
  _mm_sfence();  // these stores are not in order with those that come after
#else
  copy(from, to);
#endif
}

}  // namespace

void streaming_copy(std::span<const std::byte> from, std::byte* to) noexcept {
  const std::size_t into_line = reinterpret_cast<std::uintptr_t>(to) % kLineBytes;
  const std::size_t head = std::min((kLineBytes - into_line) % kLineBytes, from.size());
  const std::size_t lines = (from.size() - head) / kLineBytes * kLineBytes;
  copy(from.first(head), to);
  if (lines != 0) copy_lines(from.subspan(head, lines), to + head);
  copy(from.subspan(head + lines), to + head + lines);
}

}  // namespace lunfs

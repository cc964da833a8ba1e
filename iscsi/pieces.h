#pragma once

#include <algorithm>
#include <cstdint>

namespace lunfs::iscsi {

/// Calls `work` for [offset, offset + length) in pieces of at most `piece` bytes.
template <typename Work>
void for_pieces(std::uint64_t offset, std::uint64_t length, std::uint64_t piece, Work work) {
  for (std::uint64_t done = 0; done < length; done += piece) {
    work(offset + done, done, std::min(piece, length - done));
  }
}

}  // namespace lunfs::iscsi

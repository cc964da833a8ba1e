#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace lunfs::iscsi {

/// Reads along with libiscsi and notices what libiscsi 1.19 does not.
///
/// libiscsi takes a SCSI Response whose iSCSI response code says "target failure" for a GOOD one,
/// so that a write that failed would count as done; here such a response becomes TASK ABORTED
/// before libiscsi sees it. libiscsi takes the padding behind a text for a part of it, which some
/// targets leave as it was in their memory; here it becomes zeros, as it should be. And libiscsi
/// does not count the bytes that it puts into a caller's buffer; here they are counted for each
/// command, and must come in order.
///
/// SocketBuffer shows it what libiscsi receives; active() says whether that worked. Belongs to the
/// reactor's thread. Source: RFC 7143 §11.4.3 and §11.7.
class ReceiveTap {
 public:
  /// Something was received past the tap.
  [[nodiscard]] bool active() const noexcept { return active_; }
  /// What broke the protocol; the session must end then.
  [[nodiscard]] const std::optional<std::string>& fault() const noexcept { return fault_; }

  /// Counts from now on for the command with this initiator task tag.
  void expect(std::uint32_t tag);
  /// Bytes of data received for the command; forgets it.
  std::uint64_t take(std::uint32_t tag);

  /// The next bytes of the stream; a response code in them may be changed.
  void received(std::span<std::byte> bytes);
  /// Of the last PDU that has any, with padding.
  [[nodiscard]] std::size_t payload_bytes() const noexcept { return payload_bytes_; }

 private:
  using Counts = std::unordered_map<std::uint32_t, std::uint64_t>;
  static constexpr std::size_t kHeaderBytes = 48;

  std::size_t take_header(std::span<std::byte> bytes);
  void end_of_header();

  bool active_ = false;
  std::optional<std::string> fault_;
  std::array<std::byte, kHeaderBytes> header_{};
  std::size_t header_size_ = 0;   ///< how much of header_ is there
  std::size_t payload_left_ = 0;  ///< of the PDU behind the header, with padding
  std::size_t padding_ = 0;       ///< bytes at the payload's end that are none of it
  std::size_t payload_bytes_ = 0;
  Counts counts_;
  std::vector<Counts::node_type> spare_;  ///< so that a command costs no allocation
};

}  // namespace lunfs::iscsi

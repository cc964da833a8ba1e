#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"

/// Which of a LUN's target ports may be used (asymmetric logical unit access), from untrusted
/// bytes. Pure; every function reads inside `bytes` only. Source: SPC-4 §5.15, §6.4.2, §6.33,
/// §7.8.6.
namespace lunfs::iscsi {

/// How a LUN can be reached by the ports of a group; the values are those of the wire.
enum class AccessState : std::uint8_t {
  kOptimized = 0x0,
  kNonOptimized = 0x1,
  kStandby = 0x2,
  kUnavailable = 0x3,
  kLbaDependent = 0x4,  ///< optimized for some blocks
  kOffline = 0xe,
  kTransitioning = 0xf,
};

/// As status.json and the log show it: "active/optimized", "standby", ...
[[nodiscard]] std::string_view name_of(AccessState state) noexcept;
/// Whether reads and writes are answered in this state.
[[nodiscard]] bool usable(AccessState state) noexcept;
/// Lower is better; kOptimized has 0.
[[nodiscard]] unsigned rank_of(AccessState state) noexcept;

/// One descriptor of REPORT TARGET PORT GROUPS.
struct PortGroup {
  std::uint16_t group = 0;
  AccessState state = AccessState::kUnavailable;
  std::vector<std::uint16_t> ports;  ///< relative target port identifiers

  bool operator==(const PortGroup&) const = default;
};

/// The most groups, and ports of all groups, that are taken of one answer.
inline constexpr std::size_t kMostPortGroups = 64;
inline constexpr std::size_t kMostGroupPorts = 256;

/// REPORT TARGET PORT GROUPS in the length-only form. A descriptor that is cut off ends the list; a
/// state that the standard does not know counts as kUnavailable. Never throws.
[[nodiscard]] std::vector<PortGroup> parse_port_groups(ConstByteSpan bytes);

/// INQUIRY: whether the LUN has several access states and tells them (TPGS not 0). False for data
/// that ends before that.
[[nodiscard]] bool tells_port_groups(ConstByteSpan inquiry) noexcept;

/// Where a session has arrived, by VPD 0x83.
struct PortPlace {
  std::optional<std::uint16_t> port;   ///< relative target port identifier, designator type 4
  std::optional<std::uint16_t> group;  ///< target port group, type 5

  bool operator==(const PortPlace&) const = default;
};

/// @param payload  of VPD 0x83. The first designator of each type counts; never throws.
[[nodiscard]] PortPlace parse_port_place(ConstByteSpan payload) noexcept;

/// The state of the group that `place` names, else of the one that has its port; none if neither
/// is in `groups`.
[[nodiscard]] std::optional<AccessState> state_at(const std::vector<PortGroup>& groups,
                                                  const PortPlace& place) noexcept;

}  // namespace lunfs::iscsi

#include "iscsi/alua.h"

#include <algorithm>

namespace lunfs::iscsi {

namespace {

AccessState state_of(unsigned value) noexcept {
  switch (value) {
    case 0x0:
    case 0x1:
    case 0x2:
    case 0x3:
    case 0x4:
    case 0xe:
    case 0xf:
      return static_cast<AccessState>(value);
    default:
      return AccessState::kUnavailable;
  }
}

unsigned at(ConstByteSpan bytes, std::size_t place) noexcept {
  return std::to_integer<unsigned>(bytes[place]);
}

std::uint16_t number_at(ConstByteSpan bytes, std::size_t place) noexcept {
  return static_cast<std::uint16_t>(at(bytes, place) << 8U | at(bytes, place + 1));
}

}  // namespace

std::string_view name_of(AccessState state) noexcept {
  switch (state) {
    case AccessState::kOptimized:
      return "active/optimized";
    case AccessState::kNonOptimized:
      return "active/non-optimized";
    case AccessState::kStandby:
      return "standby";
    case AccessState::kUnavailable:
      return "unavailable";
    case AccessState::kLbaDependent:
      return "LBA dependent";
    case AccessState::kOffline:
      return "offline";
    case AccessState::kTransitioning:
      break;
  }
  return "transitioning";
}

bool usable(AccessState state) noexcept {
  return state == AccessState::kOptimized || state == AccessState::kNonOptimized ||
         state == AccessState::kLbaDependent;
}

unsigned rank_of(AccessState state) noexcept {
  switch (state) {
    case AccessState::kOptimized:
      return 0;
    case AccessState::kLbaDependent:
      return 1;
    case AccessState::kNonOptimized:
      return 2;
    case AccessState::kTransitioning:
      return 3;
    case AccessState::kStandby:
      return 4;
    case AccessState::kUnavailable:
      return 5;
    case AccessState::kOffline:
      break;
  }
  return 6;
}

std::vector<PortGroup> parse_port_groups(ConstByteSpan bytes) {
  constexpr std::size_t kHeader = 4;
  constexpr std::size_t kDescriptor = 8;
  constexpr std::size_t kPort = 4;
  std::vector<PortGroup> groups;
  if (bytes.size() < kHeader) return groups;
  const std::size_t told = load_be<std::uint32_t>(bytes, 0);
  ConstByteSpan rest = bytes.subspan(kHeader);
  rest = rest.first(std::min(told, rest.size()));
  std::size_t ports = 0;
  while (rest.size() >= kDescriptor && groups.size() < kMostPortGroups) {
    const std::size_t count = at(rest, 7);
    const std::size_t size = kDescriptor + count * kPort;
    ports += count;
    if (size > rest.size() || ports > kMostGroupPorts) break;
    PortGroup group{
        .group = number_at(rest, 2), .state = state_of(at(rest, 0) & 0x0fU), .ports = {}};
    for (std::size_t i = 0; i < count; ++i) {
      group.ports.push_back(number_at(rest, kDescriptor + i * kPort + 2));
    }
    groups.push_back(std::move(group));
    rest = rest.subspan(size);
  }
  return groups;
}

bool tells_port_groups(ConstByteSpan inquiry) noexcept {
  constexpr std::size_t kPlace = 5;
  return inquiry.size() > kPlace && (at(inquiry, kPlace) & 0x30U) != 0;
}

PortPlace parse_port_place(ConstByteSpan payload) noexcept {
  constexpr std::size_t kHeader = 4;
  constexpr unsigned kTargetPort = 1;  // association
  constexpr unsigned kRelativePort = 4;
  constexpr unsigned kPortGroup = 5;
  PortPlace place;
  while (payload.size() >= kHeader) {
    const std::size_t length = at(payload, 3);
    if (length > payload.size() - kHeader) break;
    const ConstByteSpan value = payload.subspan(kHeader, length);
    const unsigned type = at(payload, 1) & 0x0fU;
    if (((at(payload, 1) >> 4U) & 3U) == kTargetPort && value.size() >= 4) {
      if (type == kRelativePort && !place.port) place.port = number_at(value, 2);
      if (type == kPortGroup && !place.group) place.group = number_at(value, 2);
    }
    payload = payload.subspan(kHeader + length);
  }
  return place;
}

std::optional<AccessState> state_at(const std::vector<PortGroup>& groups,
                                    const PortPlace& place) noexcept {
  if (place.group) {
    for (const PortGroup& one : groups) {
      if (one.group == *place.group) return one.state;
    }
  }
  if (place.port) {
    for (const PortGroup& one : groups) {
      if (std::find(one.ports.begin(), one.ports.end(), *place.port) != one.ports.end()) {
        return one.state;
      }
    }
  }
  return std::nullopt;
}

}  // namespace lunfs::iscsi

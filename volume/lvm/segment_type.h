#pragma once

#include <string>
#include <string_view>

/// What the type of a segment means to lunfs. Pure. Source: docs/formats/lvm-metadata.md, segment
/// types.
namespace lunfs::lvm {

/// The only type that is mapped, spelled exactly so; linear LVs are striped over one stripe.
inline constexpr std::string_view kMappedType = "striped";

/// Why a segment of `type` is not mapped: a known type in plain words, an unknown one, or an
/// unknown flag behind a '+'. Empty for kMappedType.
[[nodiscard]] std::string refusal_of_type(std::string_view type);

/// True if a string under `key`, in a segment of `type`, may be the name of an LV that the segment
/// is built on. In a type that lunfs does not know every key may.
[[nodiscard]] bool may_name_lv(std::string_view type, std::string_view key) noexcept;

}  // namespace lunfs::lvm

#include "volume/sr/mgt.h"

#include <algorithm>
#include <charconv>
#include <pugixml.hpp>
#include <set>
#include <string_view>

namespace lunfs::sr {

namespace {

constexpr std::string_view kCookie = "XSSM";
constexpr char kFieldSeparator = ':';
constexpr std::size_t kHeaderFields = 4;
constexpr std::string_view kMajor = "1";
constexpr std::string_view kPadding{" \0", 2};
constexpr std::string_view kXmlSpace = " \t\r\n";
constexpr std::size_t kMaxWarnings = 32;

// Which SR sector holds what, in sectors from the start of the LV.
constexpr std::uint64_t kIdentitySector = 1;
constexpr std::uint64_t kLabelSector = 2;
constexpr std::uint64_t kDescriptionSector = 3;

// No end-of-line conversion, which parse_default includes: labels keep their control characters.
constexpr unsigned int kParseOptions =
    pugi::parse_escapes | pugi::parse_cdata | pugi::parse_fragment;

std::string_view trim(std::string_view text, std::string_view set) {
  const std::size_t first = text.find_first_not_of(set);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(set) - first + 1);
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> fields;
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = text.find(kFieldSeparator);
    fields.push_back(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), fields.back().size() + 1));
  }
  return fields;
}

std::uint64_t parse_length(std::string_view field) {
  const std::string_view digits = trim(field, kPadding);
  std::uint64_t length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc{} || end != digits.data() + digits.size() || digits.empty()) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("MGT header: the used length is '{}', not a decimal number", digits));
  }
  return length;
}

/// Parses one piece of the grid. Returns false, with the parser's word, if it is not XML.
class Fragment {
 public:
  explicit Fragment(ConstByteSpan bytes) : text_(as_text(bytes)) {
    // Padding may be NULs instead of spaces; a NUL would end the text for the parser.
    std::erase(text_, '\0');
    result_ = document_.load_buffer(text_.data(), text_.size(), kParseOptions, pugi::encoding_utf8);
  }

  [[nodiscard]] bool good() const { return result_.status == pugi::status_ok; }
  [[nodiscard]] bool blank() const { return trim(text_, kXmlSpace).empty(); }
  [[nodiscard]] const char* problem() const { return result_.description(); }
  [[nodiscard]] const pugi::xml_node& root() const { return document_; }

 private:
  std::string text_;
  pugi::xml_document document_;
  pugi::xml_parse_result result_;
};

std::string value_of(const pugi::xml_node& parent, const char* element) {
  return std::string(trim(parent.child_value(element), kXmlSpace));
}

/// The reading of one MGT, with its bounded list of warnings.
class Reader {
 public:
  explicit Reader(ConstByteSpan bytes) : bytes_(bytes) {}

  Mgt read() {
    const std::uint64_t used =
        parse_mgt_header(bytes_.first(std::min<std::uint64_t>(bytes_.size(), kMgtSectorBytes)));
    bytes_ = bytes_.first(std::min({std::uint64_t{bytes_.size()}, used, kMgtMaxBytes}));
    if (used == 0) warn("it is empty");
    if (bytes_.size() < used) {
      warn(fmt::format("its header says {} bytes, but only {} are read", used, bytes_.size()));
    }
    read_identity();
    mgt_.label = read_sr_text(kLabelSector, "name_label");
    mgt_.description = read_sr_text(kDescriptionSector, "name_description");
    read_slots();
    if (suppressed_ > 0) mgt_.warnings.push_back(fmt::format("and {} more of these", suppressed_));
    return std::move(mgt_);
  }

 private:
  void warn(std::string text) {
    if (mgt_.warnings.size() < kMaxWarnings) {
      mgt_.warnings.push_back(std::move(text));
    } else {
      ++suppressed_;
    }
  }

  /// Empty beyond the used length.
  [[nodiscard]] ConstByteSpan sector(std::uint64_t index) const {
    const std::uint64_t offset = index * kMgtSectorBytes;
    if (!range_fits<std::uint64_t>(offset, kMgtSectorBytes, bytes_.size())) return {};
    return bytes_.subspan(offset, kMgtSectorBytes);
  }

  void read_identity() {
    const Fragment fragment(sector(kIdentitySector));
    if (fragment.blank()) return;
    if (!fragment.good()) {
      warn(fmt::format("the sector with the SR's uuid is not XML: {}", fragment.problem()));
      return;
    }
    const std::string uuid = value_of(fragment.root(), "uuid");
    mgt_.sr_uuid = Uuid::parse(uuid);
    if (!mgt_.sr_uuid) warn(fmt::format("the SR's uuid is '{}', not a uuid", uuid));
    mgt_.allocation = value_of(fragment.root(), "allocation");
  }

  std::string read_sr_text(std::uint64_t index, const char* element) {
    const Fragment fragment(sector(index));
    if (fragment.blank() || fragment.good()) return value_of(fragment.root(), element);
    warn(fmt::format("the SR's {} is not XML: {}", element, fragment.problem()));
    return {};
  }

  void read_slots() {
    std::uint64_t offset = kMgtFirstSlot;
    for (; range_fits(offset, kMgtSlotBytes, std::uint64_t{bytes_.size()});
         offset += kMgtSlotBytes) {
      read_slot(offset);
    }
    if (offset < bytes_.size()) {
      warn(fmt::format("{} bytes at its end are not a whole slot", bytes_.size() - offset));
    }
  }

  void read_slot(std::uint64_t offset) {
    const Fragment fragment(bytes_.subspan(offset, kMgtSlotBytes));
    const pugi::xml_node vdi = fragment.root().child("vdi");
    if (!fragment.good() || vdi.empty()) {
      warn(fmt::format("the slot at byte {} is left out: {}", offset,
                       fragment.good() ? "it has no <vdi>" : fragment.problem()));
      return;
    }
    if (value_of(vdi, "deleted") == "1") return;
    const std::string uuid_text = value_of(vdi, "uuid");
    const std::optional<Uuid> uuid = Uuid::parse(uuid_text);
    if (!uuid) {
      warn(fmt::format("the slot at byte {} is left out: '{}' is not a uuid", offset, uuid_text));
    } else if (!seen_.insert(*uuid).second) {
      warn(fmt::format("the slot at byte {} is left out: VDI {} has one already", offset,
                       uuid->text()));
    } else {
      add(*uuid, vdi, offset);
    }
  }

  void add(const Uuid& uuid, const pugi::xml_node& vdi, std::uint64_t offset) {
    VdiRecord record;
    record.uuid = uuid;
    record.label = value_of(vdi, "name_label");
    record.description = value_of(vdi, "name_description");
    record.type = value_of(vdi, "type");
    record.vdi_type = value_of(vdi, "vdi_type");
    record.is_a_snapshot = value_of(vdi, "is_a_snapshot") == "1";
    record.snapshot_of = Uuid::parse(value_of(vdi, "snapshot_of"));
    record.snapshot_time = value_of(vdi, "snapshot_time");
    record.read_only = value_of(vdi, "read_only") == "1";
    record.managed = value_of(vdi, "managed") != "0";
    record.metadata_of_pool = value_of(vdi, "metadata_of_pool");
    record.offset = offset;
    mgt_.vdis.push_back(std::move(record));
  }

  ConstByteSpan bytes_;
  Mgt mgt_;
  std::set<Uuid> seen_;
  std::size_t suppressed_ = 0;
};

}  // namespace

const VdiRecord* Mgt::find(const Uuid& uuid) const noexcept {
  const auto found = std::find_if(vdis.begin(), vdis.end(),
                                  [&](const VdiRecord& record) { return record.uuid == uuid; });
  return found == vdis.end() ? nullptr : &*found;
}

std::uint64_t parse_mgt_header(ConstByteSpan sector) {
  if (sector.size() < kMgtSectorBytes) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("MGT header: {} bytes, expected {}", sector.size(), kMgtSectorBytes));
  }
  if (all_zero(sector)) return 0;
  const std::string_view text = as_text(sector);
  if (!text.starts_with(kCookie)) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("MGT header: begins with {:02x}, expected '{}'",
                            fmt::join(sector.first(kCookie.size()), " "), kCookie));
  }
  if (text[kCookie.size()] != kFieldSeparator) {
    throw Error(ErrorKind::kUnsupported, "MGT is in the binary form of before XenServer 6.0");
  }
  const std::vector<std::string_view> fields = split(trim(text, kPadding));
  if (fields.size() != kHeaderFields) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("MGT header: {} fields, expected XSSM:<length>:<major>:<minor>",
                            fields.size()));
  }
  if (const std::string_view major = trim(fields[2], kPadding); major != kMajor) {
    throw Error(ErrorKind::kUnsupported,
                fmt::format("MGT header: major version '{}', expected {}", major, kMajor));
  }
  return parse_length(fields[1]);
}

Mgt parse_mgt(ConstByteSpan bytes) { return Reader(bytes).read(); }

}  // namespace lunfs::sr

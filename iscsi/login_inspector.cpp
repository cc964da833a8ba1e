#include "iscsi/login_inspector.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/error.h"

namespace lunfs::iscsi {

namespace {

constexpr std::uint8_t kLoginResponse = 0x23;
constexpr unsigned kSecurity = 0;  // values of CSG and NSG
constexpr unsigned kOperational = 1;
constexpr unsigned kFullFeature = 3;

[[noreturn]] void no_proof(std::string_view fault) {
  throw Error(ErrorKind::kAuth, fmt::format("the target did not prove itself: {}", fault))
      .because("it is not set up for mutual CHAP, or it is not the target it claims to be");
}

[[noreturn]] void broken(std::string fault) {
  throw Error(ErrorKind::kUnreachable,
              fmt::format("the login answer breaks the protocol: {}", fault))
      .because("what listens there is not an iSCSI target, or a faulty one")
      .advise("check host and port (iSCSI uses 3260)");
}

std::uint8_t byte_at(ConstByteSpan bytes, std::size_t place) {
  return load<std::uint8_t>(bytes, place, ByteOrder::kBig);
}

template <typename Keys>
std::string_view value_of(const Keys& keys, std::string_view name) {
  const auto found =
      std::find_if(keys.begin(), keys.end(), [&](const auto& key) { return key.name == name; });
  return found == keys.end() ? std::string_view() : found->value;
}

std::optional<std::uint32_t> number(std::string_view text) noexcept {
  std::uint32_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// libiscsi reads two hex digits at a time until it meets a NUL, and steps over the NUL that ends
/// an odd number of them.
bool readable_challenge(std::string_view text) noexcept {
  constexpr std::size_t kMaxDigits = 2048;
  if (!text.starts_with("0x")) return false;
  text.remove_prefix(2);
  return !text.empty() && text.size() % 2 == 0 && text.size() <= kMaxDigits &&
         text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

void check_lengths(std::string_view name, std::string_view value) {
  constexpr std::array kLengths = {std::string_view("MaxRecvDataSegmentLength"),
                                   std::string_view("MaxBurstLength"),
                                   std::string_view("FirstBurstLength")};
  constexpr std::uint32_t kMin = 512;
  constexpr std::uint32_t kMax = (1U << 24U) - 1;
  if (std::find(kLengths.begin(), kLengths.end(), name) == kLengths.end()) return;
  const auto length = number(value);
  // With 0 libiscsi would cut a write into pieces of nothing, for ever.
  if (!length || *length < kMin || *length > kMax) {
    broken(fmt::format("{} is not a number from {} to {}", name, kMin, kMax));
  }
}

}  // namespace

std::optional<std::size_t> LoginInspector::pdu_bytes(ConstByteSpan bytes) {
  if (!bytes.empty() && (byte_at(bytes, 0) & 0x3fU) != kLoginResponse) {
    broken(fmt::format("opcode {:#04x} in place of a login response", byte_at(bytes, 0) & 0x3fU));
  }
  if (bytes.size() < kHeaderBytes) return std::nullopt;
  const auto lengths = load_be<std::uint32_t>(bytes, 4);
  if (lengths >> 24U != 0) broken("it has additional header segments");
  const std::size_t text = lengths & 0xffffffU;
  const std::size_t total = kHeaderBytes + (text + 3) / 4 * 4;
  if (total > kMaxPduBytes) {
    broken(fmt::format("{} bytes of text, more than {}", text, kMaxPduBytes - kHeaderBytes));
  }
  return total;
}

/// The text as libiscsi reads it: with the padding, which ends the last key where the target has
/// left that out. Padding that is not zero (the Linux kernel's target leaves what was there) is
/// none of the text; ReceiveTap keeps it from libiscsi.
ConstByteSpan LoginInspector::text_of(ConstByteSpan pdu) {
  const std::size_t length = load_be<std::uint32_t>(pdu, 4) & 0xffffffU;
  const ConstByteSpan padding = pdu.subspan(kHeaderBytes + length);
  return all_zero(padding) ? pdu.subspan(kHeaderBytes) : pdu.subspan(kHeaderBytes, length);
}

std::vector<LoginInspector::Key> LoginInspector::keys_of(ConstByteSpan text) {
  std::vector<Key> keys;
  std::string_view rest = as_text(text);
  while (!rest.empty()) {
    const std::size_t end = rest.find('\0');
    if (end == std::string_view::npos) broken("its text does not end with a NUL");
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (pair.empty()) {
      // libiscsi stops at the first empty string; what it does not see must not count here.
      if (rest.find_first_not_of('\0') != std::string_view::npos) {
        broken("its text goes on behind an empty string");
      }
      break;
    }
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) broken("its text has a key without '='");
    const Key key{pair.substr(0, equals), pair.substr(equals + 1)};
    const bool twice = std::any_of(keys.begin(), keys.end(),
                                   [&](const Key& other) { return other.name == key.name; });
    if (twice) broken("its text has a key twice");
    check_lengths(key.name, key.value);
    keys.push_back(key);
  }
  return keys;
}

void LoginInspector::check(ConstByteSpan pdu) {
  const auto total = pdu_bytes(pdu);
  if (!total || *total != pdu.size()) broken("it was cut off");
  status_ = load_be<std::uint16_t>(pdu, 36);
  // A refusal changes nothing: libiscsi ends the login by itself.
  if (status_ != 0) return;

  const std::uint8_t flags = byte_at(pdu, 1);
  const Transition transition{(flags >> 2U) & 3U, flags & 3U, (flags & 0x80U) != 0};
  if ((flags & 0x40U) != 0) broken("its text comes in several pieces, which lunfs does not take");
  if (transition.current > kOperational) broken("it names a login stage that does not exist");
  if (transition.transit && (transition.next <= transition.current || transition.next == 2)) {
    broken("it goes on to a login stage that does not follow");
  }
  if (finished()) broken("it came after the login had ended");

  const std::vector<Key> keys = keys_of(text_of(pdu));
  if (value_of(keys, "HeaderDigest") == "CRC32C") broken("it chose a digest that was not offered");
  const auto group = number(value_of(keys, "TargetPortalGroupTag"));
  if (group && *group <= 0xffff) portal_group_ = static_cast<std::uint16_t>(*group);
  if (chap_ && stage_ != Stage::kOperational) check_security(keys, transition);
  if (transition.transit) {
    stage_ = transition.next == kFullFeature ? Stage::kFullFeature : Stage::kOperational;
  }
}

void LoginInspector::check_security(const std::vector<Key>& keys, const Transition& transition) {
  if (transition.current != kSecurity) {
    if (mutual_) no_proof("it left the security stage without CHAP");
    return;
  }
  if (stage_ == Stage::kOffered) {
    check_offered(keys, transition);
    return;
  }
  const bool has_proof = !value_of(keys, "CHAP_N").empty() || !value_of(keys, "CHAP_R").empty();
  if (stage_ == Stage::kAlgorithm) {
    if (mutual_ && (transition.transit || has_proof)) {
      no_proof("it left the security stage before the challenge was made");
    }
    if (value_of(keys, "CHAP_A").empty()) {
      if (!transition.transit) broken("no CHAP challenge follows the choice of CHAP");
      return;
    }
    if (value_of(keys, "CHAP_A") != "5") broken("it wants a CHAP digest other than MD5");
    const auto identifier = number(value_of(keys, "CHAP_I"));
    if (!identifier || *identifier > 255) broken("CHAP_I is not a number from 0 to 255");
    if (!readable_challenge(value_of(keys, "CHAP_C"))) {
      broken("CHAP_C is not a hexadecimal number that libiscsi can read");
    }
    stage_ = Stage::kAnswered;
    return;
  }
  if (!mutual_) return;
  // One answer must carry it all: libiscsi demands the proof exactly when the stage is left, and
  // would send a second challenge if it were not.
  if (value_of(keys, "CHAP_N").empty()) no_proof("CHAP_N is missing");
  if (value_of(keys, "CHAP_R").empty()) no_proof("CHAP_R is missing");
  if (!transition.transit) no_proof("the security stage goes on behind the proof");
  if (!value_of(keys, "CHAP_C").empty()) no_proof("a second challenge comes with the proof");
  proof_seen_ = true;
}

void LoginInspector::check_offered(const std::vector<Key>& keys, const Transition& transition) {
  const bool early = std::any_of(keys.begin(), keys.end(),
                                 [](const Key& key) { return key.name.starts_with("CHAP_"); });
  if (early) {
    if (mutual_) no_proof("it sent CHAP keys before CHAP was chosen");
    broken("CHAP keys came before CHAP was chosen");
  }
  const std::string_view method = value_of(keys, "AuthMethod");
  if (mutual_ && transition.transit) no_proof("it left the security stage without CHAP");
  if (mutual_ && !method.empty() && method != "CHAP") no_proof("it chose to do without CHAP");
  if (method == "CHAP") stage_ = Stage::kAlgorithm;
}

}  // namespace lunfs::iscsi

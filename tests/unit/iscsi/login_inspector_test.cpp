#include "iscsi/login_inspector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/error.h"

namespace lunfs::iscsi {
namespace {

using ::testing::HasSubstr;
using Bytes = std::vector<std::byte>;

constexpr unsigned kSecurity = 0;
constexpr unsigned kOperational = 1;
constexpr unsigned kFullFeature = 3;
constexpr unsigned kStay = 4;  // no transition

struct Response {
  unsigned current = kSecurity;
  unsigned next = kStay;
  std::vector<std::string> keys{};
  std::uint16_t status = 0;
  std::uint8_t more_flags = 0;
};

Bytes pdu(const Response& response) {
  Bytes bytes(LoginInspector::kHeaderBytes);
  const unsigned flags = (response.next == kStay ? 0U : 0x80U | response.next) |
                         (response.current << 2U) | response.more_flags;
  store_be<std::uint8_t>(bytes, 0, 0x23);
  store_be(bytes, 1, static_cast<std::uint8_t>(flags));
  store_be(bytes, 36, response.status);
  for (const std::string& key : response.keys) {
    const ConstByteSpan text = as_byte_span(key);
    bytes.insert(bytes.end(), text.begin(), text.end());
    bytes.push_back(std::byte{0});
  }
  store_be(bytes, 4, static_cast<std::uint32_t>(bytes.size() - LoginInspector::kHeaderBytes));
  bytes.resize((bytes.size() + 3) / 4 * 4);
  return bytes;
}

const Response kChosen{.current = kSecurity, .keys = {"AuthMethod=CHAP"}};
const Response kChallenge{.current = kSecurity,
                          .keys = {"CHAP_A=5", "CHAP_I=17", "CHAP_C=0x00ffAA"}};
const Response kProof{.current = kSecurity,
                      .next = kOperational,
                      .keys = {"CHAP_N=target", "CHAP_R=0x00112233445566778899aabbccddeeff"}};
const Response kEnd{.current = kOperational, .next = kFullFeature, .keys = {"InitialR2T=Yes"}};

/// The kind and text of the first fault; "" if there is none.
std::pair<ErrorKind, std::string> fault_in(LoginInspector inspector,
                                           const std::vector<Response>& responses) {
  try {
    for (const Response& response : responses) inspector.check(pdu(response));
  } catch (const Error& error) {
    return {error.kind(), error.message()};
  }
  return {ErrorKind::kInternal, ""};
}

LoginInspector mutual() { return {true, true}; }
LoginInspector one_way() { return {true, false}; }
LoginInspector without() { return {false, false}; }

TEST(LoginInspector, PassesAMutualLoginInOrder) {
  LoginInspector inspector = mutual();
  for (const Response& response : {kChosen, kChallenge, kProof}) {
    EXPECT_FALSE(inspector.proof_seen());
    inspector.check(pdu(response));
    EXPECT_FALSE(inspector.finished());
  }
  EXPECT_TRUE(inspector.proof_seen());
  inspector.check(pdu(kEnd));
  EXPECT_TRUE(inspector.finished());
}

TEST(LoginInspector, PassesAMutualLoginThatSkipsTheOperationalStage) {
  LoginInspector inspector = mutual();
  Response proof = kProof;
  proof.next = kFullFeature;
  for (const Response& response : {kChosen, kChallenge, proof}) inspector.check(pdu(response));
  EXPECT_TRUE(inspector.finished());
}

TEST(LoginInspector, PassesAnEmptyAnswerBeforeTheChoice) {
  EXPECT_EQ(fault_in(mutual(), {Response{}, kChosen, kChallenge, kProof, kEnd}).second, "");
}

TEST(LoginInspector, MutualLoginNeedsTheProof) {
  const Response jump{.current = kOperational, .next = kFullFeature};
  const Response leave{.current = kSecurity, .next = kOperational};
  Response none = leave;
  none.keys = {"AuthMethod=None"};
  Response chap_and_leave = leave;
  chap_and_leave.keys = {"AuthMethod=CHAP"};
  Response stay_with_none;
  stay_with_none.keys = {"AuthMethod=None"};
  Response challenge_and_leave = kChallenge;
  challenge_and_leave.next = kOperational;
  Response without_name = kProof;
  without_name.keys = {kProof.keys[1]};
  Response without_response = kProof;
  without_response.keys = {kProof.keys[0]};
  Response empty_response = kProof;
  empty_response.keys[1] = "CHAP_R=";
  Response proof_and_stay = kProof;
  proof_and_stay.next = kStay;
  Response proof_and_challenge = kProof;
  proof_and_challenge.keys.emplace_back("CHAP_C=0x11");
  Response proof_elsewhere = kProof;
  proof_elsewhere.current = kOperational;
  proof_elsewhere.next = kFullFeature;
  const std::vector<std::vector<Response>> logins = {
      {jump},
      {leave},
      {none},
      {chap_and_leave},
      {stay_with_none},
      {kProof},
      {kChallenge},
      {kChosen, jump},
      {kChosen, leave},
      {kChosen, kProof},
      {kChosen, challenge_and_leave},
      {kChosen, kChallenge, jump},
      {kChosen, kChallenge, leave},
      {kChosen, kChallenge, without_name},
      {kChosen, kChallenge, without_response},
      {kChosen, kChallenge, empty_response},
      {kChosen, kChallenge, proof_and_stay},
      {kChosen, kChallenge, proof_and_challenge},
      {kChosen, kChallenge, proof_elsewhere},
      {kChosen, kChallenge, kChallenge},
  };
  for (std::size_t i = 0; i < logins.size(); ++i) {
    const auto [kind, text] = fault_in(mutual(), logins[i]);
    EXPECT_EQ(kind, ErrorKind::kAuth) << "login " << i << ": " << text;
    EXPECT_THAT(text, HasSubstr("did not prove itself")) << "login " << i;
  }
}

TEST(LoginInspector, OneWayLoginNeedsNoProof) {
  const Response leave{.current = kSecurity, .next = kOperational};
  Response none = leave;
  none.keys = {"AuthMethod=None"};
  EXPECT_EQ(fault_in(one_way(), {kChosen, kChallenge, leave, kEnd}).second, "");
  EXPECT_EQ(fault_in(one_way(), {none, kEnd}).second, "");
  EXPECT_EQ(fault_in(one_way(), {kEnd}).second, "");
}

TEST(LoginInspector, LoginWithoutChapIsOneAnswer) {
  LoginInspector inspector = without();
  inspector.check(pdu(kEnd));
  EXPECT_TRUE(inspector.finished());
}

TEST(LoginInspector, PortalGroupIsANumberOfSixteenBitsOrUnknown) {
  const struct {
    const char* key;
    std::optional<std::uint16_t> group;
  } cases[] = {{"TargetPortalGroupTag=1", 1},      {"TargetPortalGroupTag=65535", 65535},
               {"TargetPortalGroupTag=65536", {}}, {"TargetPortalGroupTag=", {}},
               {"TargetPortalGroupTag=-1", {}},    {"TargetAlias=1", {}}};
  for (const auto& one : cases) {
    LoginInspector inspector = without();
    inspector.check(pdu({.current = kSecurity, .next = kOperational, .keys = {one.key}}));
    inspector.check(pdu(kEnd));
    EXPECT_EQ(inspector.portal_group(), one.group) << one.key;
  }
}

TEST(LoginInspector, RefusalPassesAndIsRemembered) {
  LoginInspector inspector = mutual();
  inspector.check(pdu({.current = kOperational, .next = kFullFeature, .status = 0x0201}));
  EXPECT_EQ(inspector.status(), 0x0201);
  EXPECT_FALSE(inspector.finished());
}

TEST(LoginInspector, ChallengesThatLibiscsiMisreadsAreRefused) {
  for (const char* challenge :
       {"CHAP_C=0x012", "CHAP_C=0x", "CHAP_C=", "CHAP_C=0b1234", "CHAP_C=0x12zz", "CHAP_C=1234"}) {
    Response response = kChallenge;
    response.keys[2] = challenge;
    const auto [kind, text] = fault_in(one_way(), {kChosen, response});
    EXPECT_EQ(kind, ErrorKind::kUnreachable) << challenge;
    EXPECT_THAT(text, HasSubstr("CHAP_C")) << challenge;
  }
  Response longest = kChallenge;
  longest.keys[2] = "CHAP_C=0x" + std::string(2048, 'a');
  EXPECT_EQ(fault_in(one_way(), {kChosen, longest}).second, "");
  longest.keys[2] += "aa";
  EXPECT_THAT(fault_in(one_way(), {kChosen, longest}).second, HasSubstr("CHAP_C"));
}

TEST(LoginInspector, BrokenProtocolIsRefused) {
  Response several = kChosen;
  several.more_flags = 0x40;
  Response twice = kChosen;
  twice.keys.emplace_back("AuthMethod=None");
  Response no_equals = kChosen;
  no_equals.keys = {"AuthMethod"};
  Response sha = kChallenge;
  sha.keys[0] = "CHAP_A=7";
  Response identifier = kChallenge;
  identifier.keys[1] = "CHAP_I=256";
  Response digest = kEnd;
  digest.keys = {"HeaderDigest=CRC32C"};
  const Response stage{.current = 2, .next = kStay};
  const Response back{.current = kOperational, .next = kOperational};
  const Response nowhere{.current = kOperational, .next = 2};
  const Response nothing{.current = kSecurity};
  const struct {
    std::vector<Response> login;
    const char* text;
  } cases[] = {
      {{several}, "several pieces"},
      {{twice}, "key twice"},
      {{no_equals}, "without '='"},
      {{kChosen, sha}, "other than MD5"},
      {{kChosen, identifier}, "CHAP_I"},
      {{kChosen, nothing}, "no CHAP challenge"},
      {{kChallenge}, "before CHAP was chosen"},
      {{digest}, "digest"},
      {{stage}, "stage that does not exist"},
      {{back}, "does not follow"},
      {{nowhere}, "does not follow"},
      {{kEnd, kEnd}, "after the login had ended"},
  };
  for (const auto& c : cases) {
    const auto [kind, text] = fault_in(one_way(), c.login);
    EXPECT_EQ(kind, ErrorKind::kUnreachable) << c.text;
    EXPECT_THAT(text, HasSubstr(c.text));
  }
}

TEST(LoginInspector, LengthsAreNumbersInTheirRange) {
  for (const char* name : {"MaxRecvDataSegmentLength", "MaxBurstLength", "FirstBurstLength"}) {
    for (const char* value : {"0", "511", "16777216", "-1", "0x40000", "", "8192 "}) {
      Response response = kEnd;
      response.keys = {std::string(name) + "=" + value};
      EXPECT_THAT(fault_in(without(), {response}).second, HasSubstr(name)) << value;
    }
    for (const char* value : {"512", "16777215"}) {
      Response response = kEnd;
      response.keys = {std::string(name) + "=" + value};
      EXPECT_EQ(fault_in(without(), {response}).second, "") << name << value;
    }
  }
}

TEST(LoginInspector, TextIsReadAsLibiscsiReadsIt) {
  Bytes unended = pdu(kChosen);
  unended.back() = std::byte{'x'};
  EXPECT_THROW(mutual().check(unended), Error);
  // libiscsi stops at an empty string: keys behind it would be seen by us alone.
  Bytes hidden = pdu({.current = kSecurity, .keys = {"AuthMethod=CHAP", "", "X=Y"}});
  EXPECT_THROW(mutual().check(hidden), Error);
}

/// A proof with padding of `filler` behind it, and with its last NUL or without.
Bytes padded_proof(std::byte filler, bool last_nul) {
  Response proof = kProof;
  proof.keys[0] = "CHAP_N=array";  // of a length that leaves room for padding
  Bytes bytes = pdu(proof);
  const std::size_t text = load_be<std::uint32_t>(bytes, 4) - (last_nul ? 0 : 1);
  store_be(bytes, 4, static_cast<std::uint32_t>(text));
  bytes.resize(LoginInspector::kHeaderBytes + text);
  bytes.resize((bytes.size() + 3) / 4 * 4, filler);
  return bytes;
}

std::string fault_in_proof(const Bytes& proof) {
  LoginInspector inspector = mutual();
  inspector.check(pdu(kChosen));
  inspector.check(pdu(kChallenge));
  try {
    inspector.check(proof);
  } catch (const Error& error) {
    return error.message();
  }
  return inspector.proof_seen() ? "" : "no proof";
}

TEST(LoginInspector, PaddingMayHoldAnythingBehindATextThatEnds) {
  ASSERT_NE(padded_proof(std::byte{'7'}, true).back(), std::byte{0}) << "there is no padding";
  EXPECT_EQ(fault_in_proof(padded_proof(std::byte{'7'}, true)), "");
  EXPECT_EQ(fault_in_proof(padded_proof(std::byte{0}, true)), "");
}

TEST(LoginInspector, OnlyPaddingOfZerosEndsATextThatDoesNot) {
  ASSERT_NE(padded_proof(std::byte{'7'}, false).back(), std::byte{0}) << "there is no padding";
  EXPECT_EQ(fault_in_proof(padded_proof(std::byte{0}, false)), "");
  EXPECT_THAT(fault_in_proof(padded_proof(std::byte{'7'}, false)), HasSubstr("does not end"));
}

TEST(LoginInspector, PduSizeCountsPadding) {
  EXPECT_EQ(LoginInspector::pdu_bytes({}), std::nullopt);
  Bytes header(47);
  header[0] = std::byte{0x23};
  EXPECT_EQ(LoginInspector::pdu_bytes(header), std::nullopt);
  header.resize(48);
  for (const auto& [text, size] : {std::pair{0U, 48U}, {1U, 52U}, {4U, 52U}, {5U, 56U}}) {
    store_be<std::uint32_t>(header, 4, text);
    EXPECT_EQ(LoginInspector::pdu_bytes(header), size);
  }
}

TEST(LoginInspector, OtherPdusAndHugeOnesAreRefusedFromTheirHeader) {
  Bytes header(48);
  header[0] = std::byte{'S'};  // "SSH-2.0"
  EXPECT_THROW(static_cast<void>(LoginInspector::pdu_bytes(ConstByteSpan(header).first(1))), Error);
  header[0] = std::byte{0x23};
  store_be<std::uint32_t>(header, 4, 16 * 1024);
  EXPECT_EQ(LoginInspector::pdu_bytes(header), LoginInspector::kMaxPduBytes);
  store_be<std::uint32_t>(header, 4, 16 * 1024 + 1);
  EXPECT_THROW(static_cast<void>(LoginInspector::pdu_bytes(header)), Error);
  store_be<std::uint32_t>(header, 4, 0x01000000);
  EXPECT_THROW(static_cast<void>(LoginInspector::pdu_bytes(header)), Error);
}

TEST(LoginInspector, CutOffPduIsRefused) {
  const Bytes whole = pdu(kChosen);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW(mutual().check(ConstByteSpan(whole).first(size)), Error) << size;
  }
}

}  // namespace
}  // namespace lunfs::iscsi

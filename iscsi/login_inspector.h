#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace lunfs::iscsi {

/// Watches the login responses of a target before libiscsi sees them.
///
/// libiscsi 1.19 checks a mutual login's CHAP_N and CHAP_R only when a response still stands in the
/// security stage and asks to leave it; a target that jumps over that response is believed. And it
/// compares with an all-zero digest as long as it has not sent a challenge. So the order is
/// enforced here: with mutual CHAP the stage must run AuthMethod=CHAP; CHAP_A, CHAP_I, CHAP_C;
/// CHAP_N and CHAP_R together with the wish to leave the stage. Whether the proof is right remains
/// libiscsi's to check, which this order makes certain.
///
/// Also refuses what libiscsi would misread: additional header segments, text in several pieces,
/// challenges it cannot parse, lengths that would make it loop.
///
/// Pure. Source: RFC 7143 §6.3, §11.13, §12.1.3; docs/security.md.
class LoginInspector {
 public:
  static constexpr std::size_t kHeaderBytes = 48;
  /// The longest login response taken; the standard's limit for the phase is 8192 bytes of text.
  static constexpr std::size_t kMaxPduBytes = kHeaderBytes + 16 * 1024;

  /// `mutual`: the target must prove itself. `chap`: we offer CHAP.
  LoginInspector(bool chap, bool mutual) : chap_(chap), mutual_(mutual) {}

  /// The size of the PDU that begins with `bytes`, padding included; nullopt if that takes more
  /// bytes. kUnreachable if this is no login response.
  [[nodiscard]] static std::optional<std::size_t> pdu_bytes(ConstByteSpan bytes);

  /// Looks at one whole PDU. kAuth if the target does not prove itself in the order above,
  /// kUnreachable if it breaks the protocol otherwise. After an Error the login must end.
  void check(ConstByteSpan pdu);

  /// True once a response ended the login: everything behind it is for the full feature phase.
  [[nodiscard]] bool finished() const noexcept { return stage_ == Stage::kFullFeature; }
  /// Status-Class << 8 | Status-Detail of the last response; 0 = success.
  [[nodiscard]] std::uint16_t status() const noexcept { return status_; }
  /// The target's proof was seen (its value is libiscsi's to check).
  [[nodiscard]] bool proof_seen() const noexcept { return proof_seen_; }
  /// TargetPortalGroupTag, in which the session's id counts; none if the target did not tell, or
  /// told what is no number of 16 bits. Source: RFC 7143 §13.9.
  [[nodiscard]] std::optional<std::uint16_t> portal_group() const noexcept { return portal_group_; }

 private:
  enum class Stage {
    kOffered,      ///< we said AuthMethod=CHAP,None
    kAlgorithm,    ///< the target chose CHAP; we said CHAP_A
    kAnswered,     ///< the target sent its challenge; we sent our answer and our challenge
    kOperational,  ///< the security stage is over
    kFullFeature,
  };
  struct Key {
    std::string_view name;
    std::string_view value;
  };
  struct Transition {
    unsigned current;
    unsigned next;
    bool transit;
  };

  static ConstByteSpan text_of(ConstByteSpan pdu);
  static std::vector<Key> keys_of(ConstByteSpan text);
  void check_security(const std::vector<Key>& keys, const Transition& transition);
  void check_offered(const std::vector<Key>& keys, const Transition& transition);

  bool chap_;
  bool mutual_;
  bool proof_seen_ = false;
  Stage stage_ = Stage::kOffered;
  std::uint16_t status_ = 0;
  std::optional<std::uint16_t> portal_group_;
};

}  // namespace lunfs::iscsi

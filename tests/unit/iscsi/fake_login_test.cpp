// Logins against a target that lies, breaks the protocol, or says nothing.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/unit/iscsi/fake_target.h"
#include "tests/unit/iscsi/opened.h"

namespace lunfs::iscsi {
namespace {

using testing::FakeTarget;
using ::testing::HasSubstr;
using testing::Initiator;
using ::testing::Not;
using testing::options_for;
using LoginReply = FakeTarget::LoginReply;

constexpr const char* kIqn = "iqn.2026-11.example:fake";
constexpr unsigned kSecurity = 0;
constexpr unsigned kOperational = 1;
constexpr unsigned kFullFeature = 3;

const Chap kMutual{"alice", "secret-of-alice", "target", "secret-of-target"};
const Chap kOneWay{"alice", "secret-of-alice", "", ""};

LoginReply stay(std::vector<std::string> keys) {
  return {.transit = false, .current_stage = kSecurity, .keys = std::move(keys), .raw = {}};
}
LoginReply leave_security(std::vector<std::string> keys) {
  return {
      .current_stage = kSecurity, .next_stage = kOperational, .keys = std::move(keys), .raw = {}};
}
LoginReply end_login(unsigned current = kOperational) {
  return {.current_stage = current, .next_stage = kFullFeature, .keys = {}, .raw = {}};
}
LoginReply chosen() { return stay({"AuthMethod=CHAP"}); }
LoginReply challenge() { return stay({"CHAP_A=5", "CHAP_I=1", "CHAP_C=0x000102030405060708"}); }

/// The replies one after the other, the last one again and again.
FakeTarget::LoginScript in_order(std::vector<LoginReply> replies) {
  return [replies = std::move(replies)](int round, const std::string& /*text*/) {
    return replies[std::min(static_cast<std::size_t>(round), replies.size() - 1)];
  };
}

Error open_error(FakeTarget::LoginScript script, const Chap& chap,
                 std::chrono::seconds timeout = std::chrono::seconds(15)) {
  FakeTarget target({.login = std::move(script), .handler = {}});
  Initiator initiator;
  LunOptions options = options_for(target.portal(), kIqn, 1);
  options.chap = chap;
  options.login_timeout = timeout;
  return initiator.open_error(options);
}

void expect_no_proof(FakeTarget::LoginScript script) {
  const Error error = open_error(std::move(script), kMutual);
  EXPECT_EQ(error.kind(), ErrorKind::kAuth) << three_part_text(error);
  const std::string text = three_part_text(error);
  EXPECT_THAT(text, HasSubstr("did not prove itself"));
  EXPECT_THAT(text, HasSubstr("mutual CHAP as user alice"));
  EXPECT_THAT(text, HasSubstr("iqn.2026-11.example:initiator"));
  EXPECT_THAT(text, Not(HasSubstr("secret-of")));
}

const char* const kZeroProof = "CHAP_R=0x00000000000000000000000000000000";

TEST(MutualLogin, FailsWhenTheTargetJumpsToFullFeature) {
  expect_no_proof(in_order({end_login()}));
}

TEST(MutualLogin, FailsWhenTheTargetLeavesSecurityWithNone) {
  expect_no_proof(in_order({leave_security({"AuthMethod=None"}), end_login()}));
}

TEST(MutualLogin, FailsWhenTheTargetLeavesSecurityWithoutAWord) {
  expect_no_proof(in_order({leave_security({}), end_login()}));
}

TEST(MutualLogin, FailsWhenTheProofIsDemandedOfNobody) {
  // Name and an all-zero digest before any challenge was made: libiscsi compares with zeros.
  expect_no_proof(in_order({leave_security({"CHAP_N=target", kZeroProof}), end_login()}));
}

TEST(MutualLogin, FailsWhenTheTargetJumpsBehindTheChallenge) {
  expect_no_proof(in_order({chosen(), challenge(), end_login()}));
}

TEST(MutualLogin, FailsWhenTheProofComesInTheOperationalStage) {
  LoginReply late = end_login();
  late.keys = {"CHAP_N=target", kZeroProof};
  expect_no_proof(in_order({chosen(), challenge(), late}));
}

TEST(MutualLogin, FailsWithoutTheTargetsName) {
  expect_no_proof(in_order({chosen(), challenge(), leave_security({kZeroProof}), end_login()}));
}

TEST(MutualLogin, FailsWithoutTheTargetsResponse) {
  expect_no_proof(
      in_order({chosen(), challenge(), leave_security({"CHAP_N=target"}), end_login()}));
}

TEST(MutualLogin, FailsWithAWrongName) {
  expect_no_proof(
      in_order({chosen(), challenge(), leave_security({"CHAP_N=other", kZeroProof}), end_login()}));
}

TEST(MutualLogin, FailsWithAWrongResponse) {
  expect_no_proof(in_order(
      {chosen(), challenge(), leave_security({"CHAP_N=target", kZeroProof}), end_login()}));
}

TEST(MutualLogin, FailsWithAWrongResponseThatEndsTheLogin) {
  LoginReply reply = leave_security({"CHAP_N=target", kZeroProof});
  reply.next_stage = kFullFeature;
  expect_no_proof(in_order({chosen(), challenge(), reply}));
}

TEST(MutualLogin, FailsWhenOurChallengeComesBackAnswered) {
  // Reflection: the initiator's own response, sent back as the proof.
  expect_no_proof([](int round, const std::string& text) {
    if (round == 0) return chosen();
    if (round == 1) return challenge();
    const std::size_t at = text.find("CHAP_R=");
    return leave_security({"CHAP_N=target", text.substr(at, text.find('\0', at) - at)});
  });
}

TEST(OneWayLogin, IsLetInByTheSameTargets) {
  // The control run: nothing but the missing proof ends the logins above.
  for (const auto& script :
       {in_order({end_login()}), in_order({leave_security({"AuthMethod=None"}), end_login()}),
        in_order({chosen(), challenge(), end_login()}),
        in_order({chosen(), challenge(), leave_security({}), end_login()})}) {
    FakeTarget target({.login = script, .handler = {}});
    Initiator initiator;
    LunOptions options = options_for(target.portal(), kIqn, 1);
    options.chap = kOneWay;
    EXPECT_TRUE(initiator.open(options)->connected());
  }
}

TEST(Login, AnswerThatWasNotAskedForEndsIt) {
  LoginReply reply = chosen();
  reply.twice = true;
  const Error error = open_error(in_order({reply, challenge(), end_login()}), kMutual);
  EXPECT_EQ(error.kind(), ErrorKind::kUnreachable);
  EXPECT_THAT(error.message(), HasSubstr("more came than was asked for"));
}

TEST(Login, GarbageEndsItAtOnce) {
  const Error error = open_error(
      [](int, const std::string&) {
        return LoginReply{.keys = {}, .raw = "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"};
      },
      {});
  EXPECT_EQ(error.kind(), ErrorKind::kUnreachable);
  EXPECT_THAT(three_part_text(error), HasSubstr("not an iSCSI target"));
}

TEST(Login, TargetThatHangsUpIsUnreachable) {
  const Error error = open_error(
      [](int, const std::string&) { return LoginReply{.keys = {}, .raw = "#", .hang_up = true}; },
      {});
  EXPECT_EQ(error.kind(), ErrorKind::kUnreachable) << error.message();
  EXPECT_THAT(error.message(), HasSubstr("closed the connection during the login"));
}

TEST(Login, PieceOfAnAnswerAndTheEndIsUnreachable) {
  const Error error = open_error(
      [](int, const std::string&) {
        return LoginReply{.keys = {}, .raw = "#\x80 only a piece of the header", .hang_up = true};
      },
      {});
  EXPECT_EQ(error.kind(), ErrorKind::kUnreachable) << error.message();
}

TEST(Login, SilenceTimesOut) {
  const auto before = std::chrono::steady_clock::now();
  const Error error = open_error(
      [](int, const std::string&) {
        return LoginReply{.keys = {}, .raw = {}, .say_nothing = true};
      },
      {}, std::chrono::seconds(1));
  EXPECT_EQ(error.kind(), ErrorKind::kTimedOut);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(3));
  EXPECT_THAT(three_part_text(error), HasSubstr("no answer within the login timeout"));
  EXPECT_THAT(three_part_text(error), HasSubstr("login_timeout"));
}

TEST(Login, ClosedPortIsUnreachableAtOnce) {
  PortalAddress portal;
  {
    const FakeTarget target({.login = {}, .handler = {}});
    portal = target.portal();
  }
  Initiator initiator;
  const Error error = initiator.open_error(options_for(portal, kIqn, 1));
  EXPECT_EQ(error.kind(), ErrorKind::kUnreachable);
  EXPECT_THAT(error.message(), HasSubstr("Connection refused"));
  EXPECT_THAT(three_part_text(error), HasSubstr("what to do"));
}

TEST(Login, EveryAddressOfANameIsTried) {
  // localhost is ::1 and 127.0.0.1 on most hosts; the fake listens on the second only.
  const FakeTarget target({.login = {}, .handler = {}});
  Initiator initiator;
  const auto lun = initiator.open(options_for({"localhost", target.portal().port}, kIqn, 1));
  EXPECT_EQ(lun->portal_text(), target.portal().text());
}

TEST(Login, NameWithoutAddressIsUnreachable) {
  Initiator initiator;
  const Error error = initiator.open_error(options_for({"no-such-host.invalid", 3260}, kIqn, 1));
  EXPECT_EQ(error.kind(), ErrorKind::kUnreachable) << error.message();
  EXPECT_THAT(error.message(), HasSubstr("address of host no-such-host.invalid was not found"));
}

TEST(Login, RedirectionIsFollowedToAnotherPortal) {
  const FakeTarget there({.login = {}, .handler = {}});
  const FakeTarget here(
      {.login = in_order({LoginReply{.transit = false,
                                     .status = 0x0101,
                                     .keys = {"TargetAddress=" + there.portal().text() + ",1"},
                                     .raw = {}}}),
       .handler = {}});
  Initiator initiator;
  const auto lun = initiator.open(options_for(here.portal(), kIqn, 1));
  EXPECT_EQ(lun->portal_text(), there.portal().text());
}

TEST(Login, RedirectionInCirclesEnds) {
  std::atomic<std::uint16_t> port = 0;
  const FakeTarget target({.login =
                               [&](int, const std::string&) {
                                 return LoginReply{
                                     .transit = false,
                                     .status = 0x0101,
                                     .keys = {"TargetAddress=127.0.0.1:" + std::to_string(port)},
                                     .raw = {}};
                               },
                           .handler = {}});
  port = target.portal().port;
  Initiator initiator;
  const Error error = initiator.open_error(options_for(target.portal(), kIqn, 1));
  EXPECT_EQ(error.kind(), ErrorKind::kUnreachable);
  EXPECT_THAT(error.message(), HasSubstr("redirected more than 4 times"));
}

TEST(Login, RefusalsHaveTheirKindAndText) {
  const struct {
    std::uint16_t status;
    ErrorKind kind;
    const char* text;
  } cases[] = {
      {0x0201, ErrorKind::kAuth, "authentication failure (0x0201)"},
      {0x0202, ErrorKind::kAuth, "access list"},
      {0x0203, ErrorKind::kNotFound, "not allowed to see it"},
      {0x0206, ErrorKind::kBusy, "too many connections"},
      {0x0301, ErrorKind::kBusy, "service unavailable"},
      {0x0300, ErrorKind::kUnreachable, "target error"},
      {0x7777, ErrorKind::kUnreachable, "unknown reason (0x7777)"},
  };
  for (const auto& c : cases) {
    const Error error = open_error(
        in_order({LoginReply{.transit = false, .status = c.status, .keys = {}, .raw = {}}}),
        kOneWay);
    EXPECT_EQ(error.kind(), c.kind) << c.text;
    EXPECT_THAT(three_part_text(error), HasSubstr(c.text));
    EXPECT_THAT(three_part_text(error), HasSubstr("one-way CHAP as user alice"));
    EXPECT_THAT(three_part_text(error), Not(HasSubstr("secret-of")));
  }
}

TEST(Login, CancellationEndsItAtOnce) {
  FakeTarget target({.login =
                         [](int, const std::string&) {
                           return LoginReply{.keys = {}, .raw = {}, .say_nothing = true};
                         },
                     .handler = {}});
  Initiator initiator;
  Cancellation cancellation;
  RequestContext context;
  context.cancellation = &cancellation;
  const auto timer = initiator.reactor.at(Reactor::Clock::now() + std::chrono::milliseconds(100),
                                          [&] { cancellation.request(); });
  try {
    run_until_done(initiator.reactor, open_lun(context, initiator.reactor, initiator.pool,
                                               options_for(target.portal(), kIqn, 1)));
    ADD_FAILURE() << "it was opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  }
}

}  // namespace
}  // namespace lunfs::iscsi

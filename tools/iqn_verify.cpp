#include "tools/iqn_verify.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/exit_codes.h"
#include "iscsi/initiator_name.h"
#include "iscsi/initiator_store.h"
#include "iscsi/login_identity.h"
#include "tools/name_verification.h"

namespace lunfs::tools {

namespace {

using iscsi::NameTrial;
using iscsi::PortalAddress;

constexpr unsigned kLongestSeconds = 3600;

struct VerifyOptions {
  std::vector<std::string> portals;
  std::optional<std::string> initiator;
  std::optional<std::string> credentials;
  std::optional<std::string> file;
  std::optional<std::string> target;
  std::optional<std::string> isid;
  unsigned hold = 5;
  unsigned login_timeout = 15;
  bool discovery_only = false;
  bool json = false;
  std::function<NameUseSources()> sources;
};

// ---- what is told

std::string_view word_of(const std::optional<NameTrial>& trial) {
  if (!trial) return "not tried";
  switch (trial->verdict) {
    case NameTrial::Verdict::kHeld:
      return "stays";
    case NameTrial::Verdict::kLostOnce:
      return "was ended once";
    case NameTrial::Verdict::kThrownOut:
      return "is thrown out";
    case NameTrial::Verdict::kRefused:
      return "is refused";
  }
  return "unknown";
}

bool is_twin(const TargetResult& target) {
  return target.trial && target.trial->verdict == NameTrial::Verdict::kThrownOut;
}

Error twin_error(const std::string& initiator, const TargetResult& target) {
  const bool isid_matters = target.trial->held_with_own_isid;
  return Error(ErrorKind::kBusy,
               fmt::format("another initiator uses the name {}: {} at {} ended {} sessions right "
                           "after their login{}",
                           initiator, target.name, target.portals.front().text(),
                           target.trial->losses,
                           isid_matters ? ", and let one with an ISID of its own stay"
                                        : ", whatever their ISID"))
      .because(
          isid_matters
              ? "a host that has the same name logs in with the same ISID, and each throws the "
                "other out"
              : "a host that has the same name is logged in and the target lets only one of "
                "them in; or the target ends every session")
      .advise(
          "find the host (a copy of this one?) and give it a name of its own: lunfs-iqn generate "
          "--write");
}

Error once_error(const TargetResult& target) {
  return Error(
             ErrorKind::kBusy,
             fmt::format("{} at {} ended the session once, right after its login; the next stayed",
                         target.name, target.portals.front().text()))
      .because(
          "another initiator with this name has logged in meanwhile, or the target was restarted")
      .advise("run this again; if it is told again, look for a host with the same name");
}

Error none_error(const std::string& initiator, const PortalResult& result) {
  const std::string portal = result.portal.text();
  return Error(ErrorKind::kNotFound,
               result.left_aside.empty()
                   ? fmt::format("{} shows {} no target", portal, initiator)
                   : fmt::format("{} does not show {} this target, but {}", portal, initiator,
                                 fmt::join(result.left_aside, ", ")))
      .because("the array does not let this name see it, or has no such target")
      .advise(fmt::format("allow initiator {} in the array's access list", initiator));
}

Json to_json(const PortalResult& result) {
  Json targets = Json::array();
  for (const TargetResult& target : result.targets) {
    Json one = {{"target", target.name},
                {"portal", target.portals.front().text()},
                {"session", std::string(word_of(target.trial))}};
    if (target.trial) one["losses"] = target.trial->losses;
    if (is_twin(target)) one["stays_with_own_isid"] = target.trial->held_with_own_isid;
    if (target.trial && target.trial->refusal) one["reason"] = target.trial->refusal->message();
    targets.push_back(std::move(one));
  }
  Json document = {{"portal", result.portal.text()}, {"targets", std::move(targets)}};
  if (result.failure) document["error"] = result.failure->message();
  return document;
}

/// Every fault of every portal, in their order; the first decides about the status.
std::vector<Error> errors_of(const std::string& initiator,
                             const std::vector<PortalResult>& results) {
  std::vector<Error> errors;
  for (const PortalResult& result : results) {
    if (result.failure) errors.push_back(*result.failure);
    for (const TargetResult& target : result.targets) {
      if (!target.trial) continue;
      switch (target.trial->verdict) {
        case NameTrial::Verdict::kHeld:
          break;
        case NameTrial::Verdict::kLostOnce:
          errors.push_back(once_error(target));
          break;
        case NameTrial::Verdict::kThrownOut:
          errors.push_back(twin_error(initiator, target));
          break;
        case NameTrial::Verdict::kRefused:
          errors.push_back(*target.trial->refusal);
          break;
      }
    }
    if (!result.failure && result.targets.empty()) errors.push_back(none_error(initiator, result));
  }
  return errors;
}

int status_of(const std::vector<PortalResult>& results, const std::vector<Error>& errors) {
  for (const PortalResult& result : results) {
    if (std::any_of(result.targets.begin(), result.targets.end(), is_twin)) {
      return kExitSessionExists;
    }
  }
  return errors.empty() ? kExitSuccess : exit_code(errors.front().kind());
}

void print_text(const Program& program, const iscsi::InitiatorName& name,
                const std::vector<PortalResult>& results, const std::vector<Error>& errors,
                const VerifyOptions& options) {
  const std::array kFacts = {Column{"name", "name"}, Column{"from", "file"}};
  const std::array kColumns = {Column{"TARGET", "target"}, Column{"PORTAL", "portal"},
                               Column{"SESSION", "session"}};
  program.print(facts_text(kFacts, {{"name", name.name}, {"file", name.origin}}));
  Json rows = Json::array();
  for (const PortalResult& result : results) {
    const Json one = to_json(result);
    for (const Json& row : one.at("targets")) rows.push_back(row);
  }
  if (!rows.empty()) program.print("\n" + table_text(kColumns, rows));
  for (const Error& error : errors) program.warn(three_part_text(error));
  if (!errors.empty() || options.discovery_only) return;
  program.print(fmt::format(
      "\nEvery session stayed for {} s: nobody threw it out.{}\n", options.hold,
      options.isid ? ""
                   : " A target that lets two of one name in tells\nneither of the other; "
                     "lunfs-iqn(8) says how to look for a twin all the same."));
}

// ---- the command

/// The sessions of the kernel on this host that the ISID would throw out.
void spare_own_sessions(const std::string& initiator, const std::string& isid,
                        const VerifyOptions& options) {
  const std::string digits = iscsi::Isid::parse(isid).text();
  for (const NameUse& use : find_name_uses(options.sources())) {
    const bool ours = use.kind == NameUse::Kind::kKernelSession && use.may_use(initiator) &&
                      (use.isid.empty() || use.isid == digits);
    if (!ours) continue;
    throw Error(ErrorKind::kBusy,
                fmt::format("the kernel's {} of this host would be thrown out", use.where))
        .because("it is logged in with this name and may have this ISID")
        .advise("leave --isid out, or log the session out first");
  }
}

iscsi::InitiatorName name_for(const VerifyOptions& options) {
  if (options.initiator)
    return {iscsi::Iqn::parse(*options.initiator).text(), {}, "--initiator", {}};
  const std::vector<std::string> places =
      options.file ? std::vector<std::string>{*options.file} : iscsi::initiator_name_places();
  if (auto name = iscsi::find_initiator_name(places)) return *std::move(name);
  throw Error(ErrorKind::kNotFound, "no initiator name is stored")
      .because(fmt::format("there is none in {}", fmt::join(places, ", ")))
      .advise("lunfs-iqn generate --write makes one");
}

VerificationOptions verification_options(const VerifyOptions& options) {
  VerificationOptions result;
  if (options.target) result.target = iscsi::Iqn::parse(*options.target);
  if (options.isid) result.isid = iscsi::Isid::parse(*options.isid);
  result.discovery_only = options.discovery_only;
  result.limits.hold = std::chrono::seconds(options.hold);
  result.limits.login_timeout = std::chrono::seconds(options.login_timeout);
  return result;
}

int verify(const Program& program, const VerifyOptions& options) {
  std::vector<PortalAddress> portals;
  for (const std::string& text : options.portals) {
    const PortalAddress portal = PortalAddress::parse(text);
    if (std::find(portals.begin(), portals.end(), portal) == portals.end()) {
      portals.push_back(portal);
    }
  }
  const iscsi::InitiatorName name = name_for(options);
  if (options.isid) spare_own_sessions(name.name, *options.isid, options);
  NameVerification verification(
      verification_options(options),
      iscsi::LoginIdentity::find({.credentials = options.credentials, .initiator = name.name}));
  std::vector<PortalResult> results;
  for (const PortalAddress& portal : portals) results.push_back(verification.run(portal));
  const std::vector<Error> errors = errors_of(name.name, results);
  if (options.json) {
    Json document = {{"name", name.name}, {"from", name.origin}, {"portals", Json::array()}};
    for (const PortalResult& result : results) document["portals"].push_back(to_json(result));
    program.print(json_text(document));
    for (const Error& error : errors) program.warn(three_part_text(error));
  } else {
    print_text(program, name, results, errors, options);
  }
  return status_of(results, errors);
}

}  // namespace

void add_iqn_verify_command(Program& program, std::function<NameUseSources()> sources) {
  const auto options = std::make_shared<VerifyOptions>();
  options->sources = std::move(sources);
  CLI::App& app = program.add_command("verify", "log in with the name and tell what it sees",
                                      [&program, options] { return verify(program, *options); });
  app.add_option("PORTAL", options->portals, "host[:port] of a target")->required();
  app.add_option("--target", options->target, "only this target")->type_name("IQN");
  app.add_flag("--discovery-only", options->discovery_only, "open no session with a target");
  app.add_option("--hold", options->hold, "seconds that a session is held (5)")
      ->type_name("S")
      ->check(CLI::Range(1U, kLongestSeconds));
  app.add_option("--isid", options->isid, "log in as this session: throws out who has it")
      ->type_name("ISID|open-iscsi");
  app.add_option("--initiator", options->initiator, "this name instead of the stored one")
      ->type_name("IQN");
  app.add_option("--file", options->file, "the file of the name, instead of this user's")
      ->type_name("FILE");
  app.add_option("--credentials", options->credentials, "CHAP names and secrets")
      ->type_name("FILE");
  app.add_option("--login-timeout", options->login_timeout, "seconds that a login may take (15)")
      ->type_name("S")
      ->check(CLI::Range(1U, kLongestSeconds));
  app.add_flag("--json", options->json, "print a JSON object");
}

}  // namespace lunfs::tools

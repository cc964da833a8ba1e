#include "tools/sr_probe.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/exit_codes.h"
#include "tools/probe.h"
#include "tools/probe_report.h"
#include "tools/reach.h"

namespace lunfs::tools {

namespace {

constexpr std::uint16_t kMaxLun = 16383;
constexpr unsigned kTimeoutSeconds = 15;

struct Options {
  std::string portal;
  ReachOptions reach;
  std::optional<std::string> target;
  std::optional<std::uint16_t> lun;
  std::optional<std::string> scsi_id;
  bool json = false;
  bool xml = false;

  [[nodiscard]] bool names_a_lun() const { return lun || scsi_id; }
};

ProbeOptions probe_options(const Options& options) {
  ProbeOptions probe;
  probe.portal = iscsi::PortalAddress::parse(options.portal);
  probe.identity = options.reach.identity();
  if (options.target) probe.target = iscsi::Iqn::parse(*options.target).text();
  probe.lun = options.lun;
  probe.scsi_id = options.scsi_id;
  probe.timeout = options.reach.timeout();
  probe.discover_only = options.xml && !options.target && !options.names_a_lun();
  return probe;
}

/// Nothing that was asked for.
Error nothing_found(const Options& options, const Json& document) {
  const std::string initiator = document["initiator"].get<std::string>();
  if (options.target || options.names_a_lun()) {
    return Error(ErrorKind::kNotFound,
                 fmt::format("{} shows initiator {} nothing of that name or number", options.portal,
                             initiator))
        .because("it is misspelt, or not mapped to this initiator")
        .advise(fmt::format("lunfs-sr probe {} lists what can be seen", options.portal));
  }
  return Error(ErrorKind::kNotFound,
               fmt::format("{} shows initiator {} no target", options.portal, initiator))
      .because("the array lets no target be seen by this initiator, or by this address")
      .advise(fmt::format("allow initiator {} in the array's access list", initiator));
}

bool found_a_lun(const Json& document) {
  for (const Json& target : document["targets"]) {
    if (target.contains("luns") && !target["luns"].empty()) return true;
  }
  return false;
}

std::string xml_of(const Options& options, const Json& document) {
  if (options.names_a_lun()) return srs_xml(document);
  return options.target ? luns_xml(document) : targets_xml(document);
}

int probe(const Program& program, const Options& options) {
  ProbeResult result = probe_portal(probe_options(options));
  Json& document = result.document;
  if (!result.notice.empty()) program.warn(result.notice);
  if (document["targets"].empty()) throw nothing_found(options, document);
  // Who asks for one target wants to know by the status whether it lets anybody in.
  if (options.target && result.refusal) throw *result.refusal;
  if (options.names_a_lun() && !found_a_lun(document)) throw nothing_found(options, document);
  add_mount_lines(document, options.reach);
  if (options.xml) {
    program.print(xml_of(options, document));
  } else {
    program.print(options.json ? json_text(document) : probe_text(document));
  }
  return kExitSuccess;
}

}  // namespace

void add_sr_probe_command(Program& program) {
  auto options = std::make_shared<Options>();
  options->reach.timeout_s = kTimeoutSeconds;
  CLI::App& app = program.add_command(
      "probe", "What a portal has: its targets, their LUNs, and what is on each.",
      [&program, options] { return probe(program, *options); });
  app.add_option("PORTAL", options->portal, "host[:port] of a target; the port is 3260")
      ->required();
  app.add_option("--target", options->target, "only this target")->type_name("IQN");
  app.add_option("--lun", options->lun, "only LUNs of this number")
      ->type_name("N")
      ->check(CLI::Range(std::uint16_t{0}, kMaxLun));
  app.add_option("--scsi-id", options->scsi_id, "only the LUN of this SCSIid")->type_name("ID");
  app.add_flag("--json", options->json, "print a JSON object");
  app.add_flag("--xml", options->xml,
               "print what xe sr-probe does: the targets; with --target its LUNs; with --lun or "
               "--scsi-id the SR on it")
      ->excludes("--json");
  add_reach_options(app, options->reach, "seconds for the discovery, and for each target");
}

}  // namespace lunfs::tools

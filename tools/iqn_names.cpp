#include "tools/iqn_names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <array>
#include <fstream>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/exit_codes.h"
#include "iscsi/initiator_file.h"
#include "iscsi/initiator_name.h"
#include "iscsi/initiator_store.h"
#include "iscsi/name_maker.h"
#include "iscsi/name_review.h"

namespace lunfs::tools {

namespace {

constexpr const char* kFileFlag = "--file";
constexpr const char* kFileText = "the file of the name, instead of this user's";
constexpr const char* kJsonFlag = "--json";
constexpr const char* kJsonText = "print a JSON object";

/// What all three commands take; `sources` from the program.
struct Common {
  std::optional<std::string> file;
  bool json = false;
  std::function<NameUseSources()> sources;

  /// In the order in which they are read; the first is written.
  [[nodiscard]] std::vector<std::string> places() const {
    if (file) return {*file};
    return iscsi::initiator_name_places();
  }
  [[nodiscard]] std::vector<NameUse> uses() const { return find_name_uses(sources()); }
};

void add_common(CLI::App& app, Common& common) {
  app.add_option(kFileFlag, common.file, kFileText)->type_name("FILE");
  app.add_flag(kJsonFlag, common.json, kJsonText);
}

std::string session_line(const NameUse& use) {
  const bool mount = use.kind == NameUse::Kind::kMount;
  std::string text = fmt::format("{} {}", mount ? "the lunfs mount" : "the kernel's", use.where);
  if (use.pid != 0) text += fmt::format(" (pid {})", use.pid);
  if (!use.target.empty()) text += fmt::format(", {}", use.target);
  if (!use.portal.empty()) text += fmt::format(" at {}", use.portal);
  if (use.initiator.empty()) text += ", whose name cannot be told";
  return text;
}

std::string session_lines(const std::vector<NameUse>& uses) {
  constexpr std::size_t kMaxLines = 50;
  std::string text;
  for (std::size_t i = 0; i < uses.size() && i < kMaxLines; ++i) {
    text += "\n    " + session_line(uses[i]);
  }
  if (uses.size() > kMaxLines) text += fmt::format("\n    and {} more", uses.size() - kMaxLines);
  return text;
}

std::string counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// ---- show

void print_name(const Program& program, const iscsi::InitiatorName& name,
                const std::vector<NameUse>& uses) {
  const std::array kFacts = {Column{"name", "name"}, Column{"alias", "alias"},
                             Column{"from", "file"}, Column{"in use", "in_use"}};
  const std::array kSessions = {Column{"USED BY", "kind"},
                                Column{"WHERE", "where"},
                                Column{"PID", "pid", Column::Kind::kNumber},
                                Column{"TARGET", "target"},
                                Column{"PORTAL", "portal"},
                                Column{"STATE", "state"}};
  const std::vector<NameUse> own = uses_of(name.name, uses);
  const std::string in_use = own.empty() ? "no" : "by " + counted(own.size(), "session");
  program.print(facts_text(
      kFacts,
      {{"name", name.name}, {"alias", name.alias}, {"file", name.origin}, {"in_use", in_use}}));
  if (!own.empty()) program.print("\n" + table_text(kSessions, to_json(own)));
  if (own.size() < uses.size()) {
    program.print(
        fmt::format("\n{} under other names\n", counted(uses.size() - own.size(), "session")));
  }
}

int show(const Program& program, const Common& common) {
  const std::vector<std::string> places = common.places();
  const auto name = iscsi::find_initiator_name(places);
  if (!name) {
    throw Error(ErrorKind::kNotFound, "no initiator name is stored")
        .because(fmt::format("there is none in {}", fmt::join(places, ", ")))
        .advise("lunfs-iqn generate --write makes one; the first mount of a LUN does so by itself");
  }
  const std::vector<NameUse> uses = common.uses();
  if (!common.json) {
    print_name(program, *name, uses);
    return kExitSuccess;
  }
  Json sessions = to_json(uses);
  for (std::size_t i = 0; i < uses.size(); ++i) {
    sessions[i]["uses_name"] = uses[i].may_use(name->name);
  }
  program.print(json_text({{"name", name->name},
                           {"alias", name->alias},
                           {"file", name->origin},
                           {"in_use", !uses_of(name->name, uses).empty()},
                           {"sessions", std::move(sessions)}}));
  return kExitSuccess;
}

// ---- generate --write, set

/// A name to be stored.
struct Change {
  iscsi::Iqn name;
  std::optional<std::string> alias;
  bool force = false;
};

/// iscsid reads the name when it starts; it listens on a socket of this name.
bool iscsid_runs() {
  std::ifstream sockets("/proc/net/unix");
  for (std::string line; std::getline(sockets, line);) {
    if (line.ends_with("@ISCSIADM_ABSTRACT_NAMESPACE")) return true;
  }
  return false;
}

Error in_use(const std::string& name, const std::vector<NameUse>& users) {
  return Error(ErrorKind::kBusy,
               fmt::format("{} is in use and was not changed:{}", name, session_lines(users)))
      .because("targets know these sessions by the name")
      .advise(
          "unmount (lunfs -u DIR) and log out (iscsiadm -m node -u), then try again; --force "
          "changes the name all the same");
}

/// The name in `path`; nullopt if there is none, also if what stands there is no name: it is
/// replaced then.
std::optional<iscsi::StoredName> name_before(const std::string& path) {
  try {
    return iscsi::load_initiator_name(path);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUsage) throw;
    return std::nullopt;
  }
}

/// The name under which a user's mounts stand who has none of his own: that of root's file.
std::string borrowed_name(const std::vector<std::string>& places) {
  for (std::size_t i = 1; i < places.size(); ++i) {
    try {
      if (const auto stored = iscsi::load_initiator_name(places[i])) return stored->name.text();
    } catch (const Error&) {  // it may not be read, or is none: nobody is logged in with it
    }
  }
  return {};
}

/// Sessions that log in under another name once `path` has one. The kernel's have root's name,
/// whatever a user stores for his own mounts.
std::vector<NameUse> users_of(const std::string& was, bool borrowed, const Common& common) {
  if (was.empty()) return {};
  std::vector<NameUse> users = uses_of(was, common.uses());
  if (borrowed) {
    std::erase_if(users, [](const NameUse& use) { return use.kind != NameUse::Kind::kMount; });
  }
  return users;
}

void tell_consequences(const Program& program, const std::string& path, const std::string& was,
                       const std::vector<NameUse>& users) {
  if (!users.empty()) {
    program.warn(fmt::format(
        "{} under {} until they log in again; arrays that know only this name refuse them then:{}",
        counted(users.size(), users.size() == 1 ? "session goes on" : "sessions go on"), was,
        session_lines(users)));
  }
  if (!was.empty()) {
    program.warn(
        fmt::format("replaces {}: allow the new name in the access list of each array", was));
  }
  if (path == "/etc/iscsi/initiatorname.iscsi" && iscsid_runs()) {
    program.warn("iscsid has read the old name at its start: restart it");
  }
}

/// Stores the name unless sessions are in the way, and prints what is stored now.
int store(const Program& program, const Common& common, const Change& change) {
  const std::string path = common.places().front();
  const std::optional<iscsi::StoredName> before = name_before(path);
  const bool renames = !before || before->name != change.name;
  std::string was = before ? before->name.text() : borrowed_name(common.places());
  if (was == change.name.text()) was.clear();
  const std::vector<NameUse> users = users_of(was, !before, common);
  if (!users.empty() && !change.force) throw in_use(was, users);
  const std::string alias = change.alias ? *change.alias : before ? before->alias : std::string();
  if (renames || alias != before->alias) {
    iscsi::store_initiator_name(path, change.name, change.alias);
  }
  Json result = {{"name", change.name.text()}, {"alias", alias}, {"file", path}, {"was", was}};
  if (common.json) {
    result["sessions_under_old_name"] = to_json(users);
    program.print(json_text(result));
  } else {
    const std::array kFacts = {Column{"name", "name"}, Column{"alias", "alias"},
                               Column{"stored in", "file"}};
    program.print(facts_text(kFacts, result));
  }
  tell_consequences(program, path, was, users);
  return kExitSuccess;
}

// ---- generate

struct GenerateOptions : Common {
  std::optional<std::string> prefix;
  bool from_machine_id = false;
  bool write = false;
  bool force = false;
};

/// What `check` would call a fault of a name that is well formed.
void check_date(const iscsi::Iqn& name) {
  const iscsi::ListedName listed{name.text(), {}};
  const auto reviewed = iscsi::review_names({&listed, 1}, iscsi::current_month());
  if (reviewed.front().faults.empty()) return;
  throw Error(ErrorKind::kUsage,
              fmt::format("{}: {}", name.text(), fmt::join(reviewed.front().faults, "; ")))
      .because("the date says when the domain was owned by whoever makes the name")
      .advise("take a month that has begun");
}

int generate(const Program& program, const GenerateOptions& options) {
  const iscsi::Iqn name = options.from_machine_id
                              ? iscsi::name_of_machine(iscsi::read_machine_id(), options.prefix)
                              : iscsi::fresh_name(options.prefix);
  check_date(name);
  if (options.write) return store(program, options, {name, std::nullopt, options.force});
  if (options.file || options.force) {
    throw Error(ErrorKind::kUsage, "--file and --force say how to store a name")
        .because("--write is missing, without which none is stored")
        .advise("add --write, or leave them out");
  }
  program.print(options.json ? json_text({{"name", name.text()}}) : name.text() + "\n");
  return kExitSuccess;
}

// ---- set

struct SetOptions : Common {
  std::string name;
  std::optional<std::string> alias;
  bool force = false;
};

int set(const Program& program, const SetOptions& options) {
  const std::vector<std::string> faults = iscsi::iscsi_name_faults(options.name);
  if (!faults.empty()) {
    throw Error(ErrorKind::kUsage, fmt::format("not an iSCSI name: {}", fmt::join(faults, "; ")))
        .because("the name is misspelt")
        .advise("write it like iqn.2001-05.com.example:web1, or let lunfs-iqn generate make one");
  }
  if (options.alias) {
    if (const std::string fault = iscsi::alias_fault(*options.alias); !fault.empty()) {
      throw Error(ErrorKind::kUsage, fmt::format("not an alias: {}", fault))
          .because("an alias is one line of text")
          .advise("take a short one, such as the host's name");
    }
  }
  const iscsi::Iqn name = iscsi::Iqn::parse(options.name);
  check_date(name);
  if (name.text() != options.name) {
    program.warn(fmt::format("stored in its normal form, {}", name.text()));
  }
  return store(program, options, {name, options.alias, options.force});
}

}  // namespace

void add_iqn_name_commands(Program& program, std::function<NameUseSources()> sources) {
  const auto shown = std::make_shared<Common>();
  shown->sources = sources;
  add_common(program.add_command("show", "the name, where it stands, and who uses it",
                                 [&program, shown] { return show(program, *shown); }),
             *shown);

  const auto generated = std::make_shared<GenerateOptions>();
  generated->sources = sources;
  CLI::App& generate_app =
      program.add_command("generate", "print a fresh name",
                          [&program, generated] { return generate(program, *generated); });
  generate_app.add_option("--prefix", generated->prefix, "what stands in front of the digits")
      ->type_name("iqn.YYYY-MM.DOMAIN");
  generate_app.add_flag("--from-machine-id", generated->from_machine_id,
                        "the same name for this machine every time");
  generate_app.add_flag("--write", generated->write, "store it, as set does");
  generate_app.add_flag("--force", generated->force, "store it although the old name is in use");
  add_common(generate_app, *generated);

  const auto changed = std::make_shared<SetOptions>();
  changed->sources = std::move(sources);
  CLI::App& set_app = program.add_command("set", "check a name and store it",
                                          [&program, changed] { return set(program, *changed); });
  set_app.add_option("NAME", changed->name, "the new name")->required();
  set_app.add_option("--alias", changed->alias, "text beside the name; empty removes it")
      ->type_name("TEXT");
  set_app.add_flag("--force", changed->force, "although the old name is in use");
  add_common(set_app, *changed);
}

}  // namespace lunfs::tools

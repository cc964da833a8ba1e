#include "tools/program.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <utility>

#include "base/console.h"
#include "base/error.h"
#include "base/exit_codes.h"
#include "base/log.h"

namespace lunfs::tools {

namespace {

constexpr const char* kHelpFlags = "-h,--help";
constexpr const char* kHelpText = "this text";

}  // namespace

Program::Program(std::string name, std::string purpose, Streams streams)
    : name_(std::move(name)),
      streams_(streams),
      app_(std::make_unique<CLI::App>(std::move(purpose), name_)) {
  app_->set_help_flag(kHelpFlags, kHelpText);
  app_->set_version_flag("-V,--version", fmt::format("{} {}", name_, LUNFS_VERSION), "the version");
  app_->require_subcommand(1);
  // Options of a subcommand are its own: what stands behind its name is not the program's.
  app_->get_formatter()->column_width(34);
}

Program::~Program() = default;

CLI::App& Program::add_command(const std::string& name, const std::string& purpose, Action action) {
  CLI::App* command = app_->add_subcommand(name, purpose);
  command->set_help_flag(kHelpFlags, kHelpText);
  commands_.push_back({command, std::move(action)});
  return *command;
}

void Program::set_footer(const std::string& text) { app_->footer(text); }

int Program::run_chosen(const std::vector<std::string>& arguments) {
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app_->parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    print(app_->help());
    return kExitSuccess;
  } catch (const CLI::CallForVersion& version) {
    print(fmt::format("{}\n", version.what()));
    return kExitSuccess;
  } catch (const CLI::ParseError& failure) {
    throw Error(ErrorKind::kUsage, failure.what())
        .because("a word is misspelt, missing, or one too many")
        .advise(fmt::format("see {} --help or {}(8)", name_, name_));
  }
  for (const Command& command : commands_) {
    if (command.app->parsed()) return command.action();
  }
  throw Error(ErrorKind::kInternal, "a command without an action");
}

int Program::run(const std::vector<std::string>& arguments) {
  try {
    return run_chosen(arguments);
  } catch (...) {
    const Error error = current_error();
    lunfs::print(streams_.err, fmt::format("{}: {}\n", name_, three_part_text(error)));
    return exit_code(error.kind());
  }
}

void Program::print(std::string_view text) const {
  if (lunfs::print(streams_.out, text)) return;
  if (errno == EPIPE) {  // as every filter ends whose reader has enough
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
  }
  throw Error(ErrorKind::kIo, fmt::format("standard output could not be written: {}",
                                          std::generic_category().message(errno)))
      .because("the disk that it goes to is full, or nothing is open as standard output")
      .advise("make room, or send it elsewhere; what the command has changed stays changed");
}

void Program::warn(std::string_view text) const {
  lunfs::print(streams_.err, fmt::format("{}: {}\n", name_, text));
}

void prepare_process() {
  signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_DUMPABLE, 0);
  // What the layers log as news of a daemon is none to somebody who waits for an answer.
  log::configure(log::Sink::kStderr, log::Level::kError);
}

}  // namespace lunfs::tools

#pragma once

#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace lunfs::tools {

/// Where a tool writes; tests give their own.
struct Streams {
  std::FILE* out = stdout;
  std::FILE* err = stderr;
};

/// The frame of a tool: subcommands, -h, -V, three-part errors, exit codes. A main is
///
///     int main(int argc, char** argv) {
///       lunfs::tools::Program program("lunfs-x", "does x");
///       lunfs::tools::add_x_commands(program);
///       return program.run(std::vector<std::string>(argv + 1, argv + argc));
///     }
class Program {
 public:
  /// What a subcommand does. Returns the exit status (base/exit_codes.h) or throws an Error.
  using Action = std::function<int()>;

  /// @param purpose  a sentence, in --help
  Program(std::string name, std::string purpose, Streams streams = {});
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  /// Adds a subcommand; the caller declares its options and positionals at the result, on variables
  /// that `action` owns or that outlive run(). -h is there already.
  CLI::App& add_command(const std::string& name, const std::string& purpose, Action action);

  /// Puts a text behind the list of commands in --help.
  void set_footer(const std::string& text);

  /// Parses argv (without argv[0]), does what it says, prints what went wrong as
  /// "name: what happened", likely cause, what to do. Never throws. Once.
  /// @return the exit status; kExitUsage for words that are not understood.
  int run(const std::vector<std::string>& arguments);

  /// Writes to standard output; kIo if that fails, so that a full disk is no success. Ends the
  /// program by SIGPIPE if nobody reads any more.
  void print(std::string_view text) const;
  /// Writes a line to standard error, the program's name in front: for notices beside the result.
  void warn(std::string_view text) const;

 private:
  struct Command {
    CLI::App* app;
    Action action;
  };

  int run_chosen(const std::vector<std::string>& arguments);

  std::string name_;
  Streams streams_;
  std::unique_ptr<CLI::App> app_;
  std::vector<Command> commands_;
};

/// What every tool does before it works: no SIGPIPE from a target that hangs up, no core dump and
/// no debugger of the same user, as secrets are in memory.
void prepare_process();

}  // namespace lunfs::tools

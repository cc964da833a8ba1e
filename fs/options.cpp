#include "fs/options.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <functional>
#include <string_view>
#include <unordered_map>

#include "base/error.h"
#include "iscsi/lun_url.h"
#include "iscsi/paths.h"

namespace lunfs::fs {

namespace {

using Setter = std::function<void(MountOptions&, std::string_view value)>;

/// mount(8) and fstab words that mean nothing to a FUSE daemon, or nothing here: mount.fuse3 adds
/// "dev,suid" by itself, and no mount of ours has anything for them.
constexpr std::array kIgnored = {
    "_netdev",     "nofail",        "noauto",   "auto",       "user",     "nouser",
    "users",       "nousers",       "owner",    "noowner",    "group",    "nogroup",
    "defaults",    "sync",          "async",    "dirsync",    "atime",    "noatime",
    "diratime",    "nodiratime",    "relatime", "norelatime", "lazytime", "nolazytime",
    "strictatime", "nostrictatime", "iversion", "noiversion", "mand",     "nomand",
    "suid",        "dev",           "loud",     "silent",     "symfollow"};
/// Labels of SELinux: for the kernel, with their value.
constexpr std::array kLabels = {"context", "fscontext", "defcontext", "rootcontext"};
/// Words that the kernel or fusermount3 takes as they are.
constexpr std::array kPassedOn = {"nodev", "nosuid", "exec", "noexec"};

template <typename Array>
bool contains(const Array& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Error usage(std::string text, std::string cause = "the value is misspelt") {
  return Error(ErrorKind::kUsage, std::move(text))
      .because(std::move(cause))
      .advise("see lunfs --help or lunfs(8)");
}

/// Against the current directory, so that a daemon may leave it.
std::string absolute_path(std::string_view path) {
  std::error_code failure;
  const std::filesystem::path absolute = std::filesystem::absolute(path, failure);
  if (path.empty() || failure) {
    throw usage(fmt::format("path '{}' leads nowhere", path),
                path.empty() ? "it is empty" : "the current directory is gone");
  }
  return absolute.lexically_normal().string();
}

template <typename T>
T number(std::string_view name, std::string_view value, T lowest, T highest, int base = 10) {
  T result{};
  const auto [end, failure] =
      std::from_chars(value.data(), value.data() + value.size(), result, base);
  if (failure != std::errc() || end != value.data() + value.size() || result < lowest ||
      result > highest) {
    throw usage(
        fmt::format("option {}={}: takes a number from {} to {}", name, value, lowest, highest),
        "it is no number, has a unit behind it, or is too small or too large");
  }
  return result;
}

std::chrono::seconds seconds(std::string_view name, std::string_view value, unsigned lowest) {
  constexpr unsigned kLongest = 86'400;
  return std::chrono::seconds(number<unsigned>(name, value, lowest, kLongest));
}

std::size_t mebibytes(std::string_view name, std::string_view value, unsigned lowest,
                      unsigned highest) {
  return std::size_t{number<unsigned>(name, value, lowest, highest)} << 20U;
}

uid_t user_id(std::string_view value) {
  if (const passwd* entry = getpwnam(std::string(value).c_str())) return entry->pw_uid;
  return number<uid_t>("uid", value, 0, 0xfffffffeU);
}

gid_t group_id(std::string_view value) {
  if (const ::group* entry = getgrnam(std::string(value).c_str())) return entry->gr_gid;
  return number<gid_t>("gid", value, 0, 0xfffffffeU);
}

log::Level log_level(std::string_view value) {
  if (value == "error") return log::Level::kError;
  if (value == "warn") return log::Level::kWarn;
  if (value == "info") return log::Level::kInfo;
  if (value == "debug") return log::Level::kDebug;
  throw usage(fmt::format("option log={}: takes error, warn, info or debug", value));
}

CacheMode cache_mode(std::string_view value) {
  if (value == "auto") return CacheMode::kAuto;
  if (value == "none") return CacheMode::kNone;
  throw usage(fmt::format("option cache={}: takes auto or none", value));
}

Scheduling scheduling(std::string_view value) {
  if (value == "batch") return Scheduling::kBatch;
  if (value == "normal") return Scheduling::kNormal;
  throw usage(fmt::format("option scheduling={}: takes batch or normal", value));
}

bool yes_or_no(std::string_view name, std::string_view value) {
  if (value == "yes") return true;
  if (value == "no") return false;
  throw usage(fmt::format("option {}={}: takes yes or no", name, value));
}

void add_portal(MountOptions& options, std::string_view value) {
  if (value == "discover") {
    options.discover_portals = true;
    return;
  }
  constexpr std::size_t kMost = iscsi::PathSet::kMost - 1;  // the URL names one
  if (options.portals.size() == kMost) {
    throw usage(fmt::format("option portal: takes {} portals beside the URL's", kMost),
                "there are more");
  }
  try {
    options.portals.push_back(iscsi::PortalAddress::parse(value));
  } catch (const Error& error) {
    throw usage(fmt::format("option portal={}: {}", value, error.message()),
                "it takes HOST, HOST:PORT or discover");
  }
}

/// Options with a value, by name.
const std::unordered_map<std::string_view, Setter>& value_options() {
  static const std::unordered_map<std::string_view, Setter> table = {
      {"uid", [](auto& o, auto v) { o.uid = user_id(v); }},
      {"gid", [](auto& o, auto v) { o.gid = group_id(v); }},
      {"umask", [](auto& o, auto v) { o.umask = number<mode_t>("umask", v, 0, 0777, 8); }},
      {"fsname", [](auto& o, auto v) { o.fsname = v; }},
      {"subtype", [](auto& o, auto v) { o.subtype = v; }},
      {"credentials", [](auto& o, auto v) { o.credentials = absolute_path(v); }},
      {"initiator", [](auto& o, auto v) { o.initiator = iscsi::Iqn::parse(v).text(); }},
      {"portal", [](auto& o, auto v) { add_portal(o, v); }},
      {"timeout", [](auto& o, auto v) { o.timeout = seconds("timeout", v, 0); }},
      {"path_timeout", [](auto& o, auto v) { o.path_timeout = seconds("path_timeout", v, 1); }},
      {"login_timeout", [](auto& o, auto v) { o.login_timeout = seconds("login_timeout", v, 1); }},
      {"cache", [](auto& o, auto v) { o.cache = cache_mode(v); }},
      {"sync_on_close", [](auto& o, auto v) { o.sync_on_close = yes_or_no("sync_on_close", v); }},
      {"scheduling", [](auto& o, auto v) { o.scheduling = scheduling(v); }},
      {"vhd_cache",
       [](auto& o, auto v) { o.vhd_cache_bytes = mebibytes("vhd_cache", v, 1, 65'536); }},
      {"journal", [](auto& o, auto v) { o.journal_bytes = mebibytes("journal", v, 0, 1024); }},
      {"sessions", [](auto& o, auto v) { o.sessions = number<std::size_t>("sessions", v, 1, 8); }},
      {"log", [](auto& o, auto v) { o.log_level = log_level(v); }},
      {"log_file", [](auto& o, auto v) { o.log_file = absolute_path(v); }},
  };
  return table;
}

bool set_word(MountOptions& options, std::string_view word) {
  if (word == "ro") {
    options.read_only = true;
  } else if (word == "rw") {
    options.read_only = false;
  } else if (word == "allow_other") {
    options.allow_other = true;
  } else if (word == "detached") {
    options.detached = true;
  } else if (word == "auto_unmount" || word == "default_permissions") {
    // the first is done with other means, the second is always on
  } else if (contains(kPassedOn, word)) {
    options.kernel_options.emplace_back(word);
  } else {
    return contains(kIgnored, word) || word.starts_with("x-") || word.starts_with("x.") ||
           word.starts_with("X-");
  }
  return true;
}

void set_option(MountOptions& options, std::string_view text) {
  if (text.empty() || set_word(options, text)) return;
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  if (name == "comment" || name == "user") return;
  if (name == "password" || name == "passwd") {
    throw Error(ErrorKind::kUsage, "a password cannot stand in the mount options")
        .because("options can be read by everybody in the process list and in fstab")
        .advise("put it into a credentials file (mode 0600) and use -o credentials=FILE");
  }
  if (name == "remount") {
    throw Error(ErrorKind::kUnsupported, "a mount cannot be changed while it stands (remount)")
        .because("read-write or not is settled when the VG is opened")
        .advise("unmount it, then mount again with the other options");
  }
  if (contains(kLabels, name) && equals != std::string_view::npos) {
    options.kernel_options.emplace_back(text);
    return;
  }
  const auto found = value_options().find(name);
  if (found == value_options().end()) {
    throw usage(fmt::format("unknown option '{}'", name),
                "it is misspelt, or another version of lunfs has it");
  }
  if (equals == std::string_view::npos || equals + 1 == text.size()) {
    throw usage(fmt::format("option {} takes a value", name), "nothing stands behind it");
  }
  found->second(options, text.substr(equals + 1));
}

/// Splits at commas; a backslash keeps the next character, as mount(8)'s helpers do.
std::vector<std::string> split_options(std::string_view text) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      parts.back() += text[++i];
    } else if (text[i] == ',') {
      parts.emplace_back();
    } else {
      parts.back() += text[i];
    }
  }
  return parts;
}

struct Words {
  std::vector<std::string> positional;
  std::vector<std::string> options;
  std::string unmount_point;
  bool foreground = false;
  bool debug = false;
  bool help = false;
  bool version = false;
};

void declare(CLI::App& app, Words& words) {
  app.set_help_flag();
  app.add_option("words", words.positional)->expected(0, 2);
  app.add_option("-o,--options", words.options)->allow_extra_args(false)->take_all();
  app.add_option("-u,--unmount", words.unmount_point);
  app.add_flag("-f,--foreground", words.foreground);
  app.add_flag("-d,--debug", words.debug);
  app.add_flag("-h,--help", words.help);
  app.add_flag("-V,--version", words.version);
  // mount(8) gives its helpers these; they change nothing here.
  app.add_flag("-s,-v,-n,--sloppy");
}

Words parse_words(const std::vector<std::string>& arguments) {
  Words words;
  CLI::App app("lunfs");
  declare(app, words);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& failure) {
    throw usage(failure.what(), "a word is misspelt, or a file's name begins with a dash");
  }
  return words;
}

MountOptions mount_options(const Words& words) {
  if (words.positional.size() != 2) {
    throw usage("mounting takes two words: SOURCE and the directory to mount on",
                "one is missing, or one with a blank in it is not quoted");
  }
  MountOptions options;
  options.uid = geteuid();
  options.gid = getegid();
  for (const std::string& text : words.options) {
    for (const std::string& part : split_options(text)) set_option(options, part);
  }
  const std::string& source = words.positional[0];
  options.source = iscsi::LunUrl::looks_like_one(source) ? source : absolute_path(source);
  options.mount_point = absolute_path(words.positional[1]);
  options.debug = words.debug;
  options.foreground = words.foreground || words.debug;
  if (options.debug) options.log_level = log::Level::kDebug;
  return options;
}

}  // namespace

std::chrono::seconds MountOptions::command_timeout() const noexcept {
  // What takes longer is lost; and the kernel tells nobody that who began read-ahead or
  // asynchronous I/O was killed, so no signal could end that.
  if (timeout.count() == 0) return std::chrono::minutes(5);
  return std::max(timeout / 2, std::chrono::seconds(1));
}

Command parse_command(const std::vector<std::string>& arguments) {
  const Words words = parse_words(arguments);
  Command command;
  if (words.help) {
    command.kind = Command::Kind::kHelp;
  } else if (words.version) {
    command.kind = Command::Kind::kVersion;
  } else if (!words.unmount_point.empty()) {
    if (!words.positional.empty() || !words.options.empty()) {
      throw usage("-u takes the mount point and nothing else",
                  "-u stands where -o or -f was meant, or there are several mount points");
    }
    command.kind = Command::Kind::kUnmount;
    command.unmount_point = absolute_path(words.unmount_point);
  } else {
    command.mount = mount_options(words);
  }
  return command;
}

std::string help_text() {
  return R"(lunfs shows the virtual disks of an iSCSI LUN (XenServer, XCP-ng or plain LVM) as files.

  lunfs SOURCE DIR [-o OPTIONS] [-f] [-d]   mount
  lunfs -u DIR                              flush, unmount, wait for the logout

SOURCE   iscsi://[user@]host[:port]/target-iqn/lun, a LUN image, or a block device

  -u, --unmount DIR   flush, unmount, wait for the logout
  -f, --foreground    stay in the foreground, log to stderr
  -d, --debug         the same, and log every request
  -h, --help          this text
  -V, --version       the version
  -o, --options OPTIONS, comma-separated:
    ro, rw              read-only; read-write where the VG allows it (the default)
    detached            no XenServer host has this SR plugged: it may be written
    credentials=FILE    CHAP names and secrets, mode 0600
    initiator=IQN       name to log in with
    timeout=S           I/O waits S seconds for a target that is away (120; 0 = for ever)
    login_timeout=S     the first login's deadline (15)
    portal=HOST[:PORT]  a further path to the same target; repeatable
    portal=discover     all portals that the target tells
    path_timeout=S      when a silent path is given up for another (15)
    sessions=N          sessions with the LUN, each with a thread of its own (1)
    cache=auto|none     page cache, or direct I/O for every open
    sync_on_close=yes|no  make writes durable at close (yes)
    scheduling=batch|normal  how the daemon shares the processor (batch)
    vhd_cache=MIB       memory for the tables of VHD disks (64)
    journal=MIB         memory for unflushed writes, to repeat after an outage (64)
    uid=, gid=, umask=  owner, group and permissions of the files (caller, 0077)
    allow_other         let other users in, as far as the file modes do
    log=LEVEL           error, warn, info, debug
    log_file=FILE       log there instead of syslog
    fsname=, subtype=   what mount tables show

The words of fstab (_netdev, nofail, noauto, user, x-..., ...) are accepted.
Manual: lunfs(8). Secrets: lunfs-credentials(5).
)";
}

}  // namespace lunfs::fs

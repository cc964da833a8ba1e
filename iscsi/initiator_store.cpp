#include "iscsi/initiator_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>

#include "base/directories.h"
#include "base/error.h"
#include "base/file_descriptor.h"
#include "iscsi/initiator_file.h"

namespace lunfs::iscsi {

namespace {

constexpr const char* kSystemFile = "/etc/iscsi/initiatorname.iscsi";
constexpr std::size_t kMaxFileBytes = 64 * 1024;
constexpr int kMostLinks = 40;  // as the kernel
/// As Debian's open-iscsi has it: where there is no CHAP, the name alone opens an array.
constexpr mode_t kModeOfNewFile = 0600;

/// Why the file, or a folder on its way, cannot be written; `what` with its path.
Error write_failure(int errno_value, std::string_view what) {
  Error error = system_error(errno_value, what);
  switch (error.kind()) {
    case ErrorKind::kPermission:
      return std::move(error)
          .because("the file or its folder is another user's")
          .advise("run as the owner of the file, or as root");
    case ErrorKind::kReadOnly:
      return std::move(error)
          .because("its file system is mounted read-only")
          .advise("mount it for writing, or name another file; the name is unchanged");
    case ErrorKind::kNoSpace:
      return std::move(error)
          .because("the disk is full, or a quota is used up")
          .advise("make room and try again; the name is unchanged");
    default:
      return std::move(error)
          .because("the file system takes no such file, or its disk fails")
          .advise("look at the path and at the kernel's log; the name is unchanged");
  }
}

/// A file as it was found; what is not there has no content.
struct Found {
  std::string text;
  std::optional<struct stat> status;
};

Found read_file(const std::string& path) {
  // O_NONBLOCK: a FIFO of that name must not stop us.
  const FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    const bool forbidden = errno == EACCES || errno == EPERM;
    throw system_error(errno, path)
        .because(forbidden ? "the file belongs to root alone, or a directory on its way does"
                           : "the path leads to no file that can be read")
        .advise(forbidden ? "look at the mode of the file, or run as its owner"
                          : "correct the path, or name another file");
  }
  Found found;
  found.status.emplace();
  if (fstat(fd.get(), &*found.status) != 0) throw system_error(errno, path);
  if (!S_ISREG(found.status->st_mode)) {
    throw Error(ErrorKind::kUsage, fmt::format("{}: not a regular file", path))
        .because("something else has the name of the file")
        .advise("move it away, or name another file");
  }
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t count = read(fd.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw system_error(errno, path);
    if (count == 0) return found;
    found.text.append(buffer.data(), static_cast<std::size_t>(count));
    if (found.text.size() <= kMaxFileBytes) continue;
    throw Error(ErrorKind::kUsage, fmt::format("{}: longer than {} bytes", path, kMaxFileBytes))
        .because("it is no file of an initiator's name")
        .advise("name another file");
  }
}

std::optional<StoredName> name_in(const std::string& text, const std::string& path) {
  const InitiatorFile file = InitiatorFile::parse(text);
  const std::string name = file.name();
  if (name.empty()) return std::nullopt;
  try {
    return StoredName{Iqn::parse(name), file.alias()};
  } catch (Error& error) {
    error.add_context(path);
    throw;
  }
}

/// Keeps others who follow the same rule from changing a file of this directory. Where the file
/// system has no such lock (NFS) nothing is kept out; the replacement is still in one step.
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::filesystem::path& directory)
      : directory_(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (!directory_.valid()) throw write_failure(errno, directory.string());
    constexpr int kAttempts = 100;
    constexpr std::chrono::milliseconds kBetween{50};
    for (int attempt = 1; flock(directory_.get(), LOCK_EX | LOCK_NB) != 0; ++attempt) {
      if (errno != EWOULDBLOCK && errno != EINTR) return;
      if (attempt == kAttempts) {
        throw Error(ErrorKind::kBusy, fmt::format("{}: somebody else holds a lock on the directory",
                                                  directory.string()))
            .because("another lunfs stores a name there and does not come to an end")
            .advise("find it (fuser -v on the directory), then try again");
      }
      std::this_thread::sleep_for(kBetween);
    }
  }

  [[nodiscard]] int fd() const noexcept { return directory_.get(); }

 private:
  FileDescriptor directory_;
};

/// A file of its own beside the one that it is to replace; gone if it does not.
class Replacement {
 public:
  explicit Replacement(const std::string& path) : path_(path), pattern_(path + ".XXXXXX") {
    file_ = FileDescriptor(mkostemp(pattern_.data(), O_CLOEXEC));
    if (!file_.valid()) throw write_failure(errno, fmt::format("writing beside {}", path));
  }
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;
  ~Replacement() {
    if (!done_) unlink(pattern_.c_str());
  }

  void write_all(std::string_view text) {
    while (!text.empty()) {
      const ssize_t count = write(file_.get(), text.data(), text.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) throw write_failure(errno, fmt::format("writing {}", path_));
      text.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  /// Owner before mode, as a change of owner takes set-id bits away.
  void resemble(const struct stat& old) {
    const bool same_owner = old.st_uid == geteuid() && old.st_gid == getegid();
    if (!same_owner && fchown(file_.get(), old.st_uid, old.st_gid) != 0) {
      throw write_failure(errno, fmt::format("{}: giving the new file its old owner", path_));
    }
    set_mode(old.st_mode & 07777U);
  }
  void set_mode(mode_t mode) {
    if (fchmod(file_.get(), mode) != 0) throw write_failure(errno, path_);
  }

  /// Durable when it returns.
  void take_its_place(int directory) {
    if (fsync(file_.get()) != 0) throw write_failure(errno, fmt::format("writing {}", path_));
    if (rename(pattern_.c_str(), path_.c_str()) != 0) throw write_failure(errno, path_);
    done_ = true;
    if (fsync(directory) != 0 && errno != EINVAL) throw system_error(errno, path_);
  }

 private:
  std::string path_;
  std::string pattern_;
  FileDescriptor file_;
  bool done_ = false;
};

/// Like mkdir -p; a user's folders are for him alone, as the XDG specification asks.
void make_directories(const std::filesystem::path& directory) {
  std::error_code failure;
  if (directory.empty() || std::filesystem::exists(directory, failure)) return;
  make_directories(directory.parent_path());
  const mode_t mode = geteuid() == 0 ? 0755 : 0700;
  if (mkdir(directory.c_str(), mode) != 0 && errno != EEXIST) {
    throw write_failure(errno, directory.string());
  }
}

/// The file that a path stands for, whose directory exists when this returns.
std::filesystem::path place_of(const std::string& path) {
  if (path.empty()) {
    throw Error(ErrorKind::kUsage, "the path of the file of the name is empty")
        .because("a variable in a script is not set")
        .advise("name a file");
  }
  std::error_code failure;
  // Absolute first: of a name without a folder the function below makes one without a folder.
  std::filesystem::path place =
      std::filesystem::weakly_canonical(std::filesystem::absolute(path), failure);
  // It leaves a link that leads nowhere as it is: what is to be made is the file that it names.
  for (int links = 0; !failure && links < kMostLinks; ++links) {
    const std::filesystem::path named = std::filesystem::read_symlink(place, failure);
    if (failure) {  // no link
      failure.clear();
      break;
    }
    place = std::filesystem::weakly_canonical(place.parent_path() / named, failure);
  }
  if (failure) throw write_failure(failure.value(), path);
  make_directories(place.parent_path());
  return place;
}

void replace_file(const std::string& path, const DirectoryLock& directory, const Found& old,
                  const InitiatorFile& content) {
  Replacement replacement(path);
  replacement.write_all(content.text());
  if (old.status) {
    replacement.resemble(*old.status);
  } else {
    replacement.set_mode(kModeOfNewFile);
  }
  replacement.take_its_place(directory.fd());
}

}  // namespace

std::vector<std::string> initiator_name_places() {
  std::vector<std::string> places;
  if (geteuid() != 0) {
    if (const auto config = config_home()) {
      places.push_back(*config + "/lunfs/initiatorname.iscsi");
    }
  }
  places.emplace_back(kSystemFile);
  return places;
}

std::optional<StoredName> load_initiator_name(const std::string& path) {
  return name_in(read_file(path).text, path);
}

void store_initiator_name(const std::string& path, const Iqn& name,
                          const std::optional<std::string>& alias) {
  const std::filesystem::path place = place_of(path);
  const DirectoryLock directory(place.parent_path());
  const Found old = read_file(place.string());
  InitiatorFile content = InitiatorFile::parse(old.text);
  content.set_name(name.text());
  if (alias) content.set_alias(*alias);
  replace_file(place.string(), directory, old, content);
}

StoredName load_or_store_initiator_name(const std::string& path, const Iqn& name) {
  const std::filesystem::path place = place_of(path);
  const DirectoryLock directory(place.parent_path());
  const Found old = read_file(place.string());
  if (std::optional<StoredName> there = name_in(old.text, path)) return *std::move(there);
  InitiatorFile content = InitiatorFile::parse(old.text);
  content.set_name(name.text());
  replace_file(place.string(), directory, old, content);
  return {name, content.alias()};
}

}  // namespace lunfs::iscsi

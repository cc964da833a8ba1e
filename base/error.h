#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace lunfs {

/// What went wrong, as far as a caller may act on it. Small and stable: callers branch on the kind,
/// never on the text.
enum class ErrorKind {
  kCorrupt,         ///< On-disk or on-wire data contradicts its format.
  kUnsupported,     ///< Well-formed, but not something that lunfs does.
  kOutOfRange,      ///< An offset, length or value beyond its limits.
  kNoSpace,         ///< The LUN or the VG is full.
  kBusy,            ///< Held by somebody else; may work later.
  kUnreachable,     ///< No session: refused, lost, or never there.
  kTimedOut,        ///< The deadline passed.
  kOutcomeUnknown,  ///< A write was sent and its reply lost; it may or may not be on the LUN.
  kAuth,            ///< Login refused, or the target could not prove itself.
  kReserved,        ///< A SCSI reservation of another initiator is in the way.
  kReadOnly,        ///< Writing is not allowed here.
  kNotFound,        ///< The named thing does not exist.
  kPermission,      ///< File mode or ownership forbids it.
  kUsage,           ///< The user's words are wrong: option, URL, file syntax.
  kCancelled,       ///< The caller gave up.
  kIo,              ///< The storage said that it failed.
  kInternal,        ///< A bug in lunfs.
};

/// The stable name of a kind, as logs and JSON show it ("corrupt", "out_of_range", ...).
std::string_view to_string(ErrorKind kind) noexcept;

/// The one exception type of lunfs. Thrown in base/, iscsi/ and volume/, caught at the edges only.
///
/// A message names what was found and what was expected. Layers on the way up add context in
/// front ("LV data: ..."). Cause and remedy, where known, make the three-part text that users see.
/// Never put a secret in any part. Thread-compatible.
class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message);

  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }
  [[nodiscard]] const std::string& message() const noexcept { return message_; }
  [[nodiscard]] const std::string& cause() const noexcept { return cause_; }
  [[nodiscard]] const std::string& remedy() const noexcept { return remedy_; }
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

  /// Puts "context: " in front of the message.
  Error& add_context(std::string_view context) &;
  /// The likely cause; the innermost one wins, as it knows best.
  Error& set_cause(std::string cause) &;
  /// What the user can do next; the innermost one wins.
  Error& set_remedy(std::string remedy) &;

  Error&& because(std::string cause) &&;
  Error&& advise(std::string remedy) &&;

 private:
  ErrorKind kind_;
  std::string message_;
  std::string cause_;
  std::string remedy_;
};

/// An Error for a failed system call: kind chosen from errno_value, text "what: strerror".
Error system_error(int errno_value, std::string_view what);

/// The text for a user: what happened, likely cause, what to do next; one line each, the last two
/// left out where nothing is known.
std::string three_part_text(const Error& error);

}  // namespace lunfs

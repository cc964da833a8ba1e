#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

/// The log. Four levels: error = somebody must act; warn = degraded, retrying; info = state changes
/// (login, mount, commit); debug = per request. One line each, naming its object (target=, lun=,
/// vdi=), never a secret. The sink is the only mutable global of the program.
namespace lunfs::log {

enum class Level { kError, kWarn, kInfo, kDebug };

enum class Sink { kStderr, kSyslog, kFile };

/// Chooses where lines go and how much; before threads start. `path` is for Sink::kFile only.
/// kUsage if the file cannot be opened.
void configure(Sink sink, Level level, const std::string& path = {});

[[nodiscard]] bool enabled(Level level) noexcept;

/// Writes one line; control characters are escaped. Thread-safe.
void write(Level level, std::string_view line) noexcept;

/// The text with control characters as \xNN, line ends and tabs left alone: what a terminal may be
/// shown of names that come from a LUN.
std::string printable(std::string_view text);

template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kError, fmt::format(format, std::forward<Args>(args)...));
}

template <typename... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kWarn)) write(Level::kWarn, fmt::format(format, std::forward<Args>(args)...));
}

template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kInfo)) write(Level::kInfo, fmt::format(format, std::forward<Args>(args)...));
}

template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kDebug)) {
    write(Level::kDebug, fmt::format(format, std::forward<Args>(args)...));
  }
}

}  // namespace lunfs::log

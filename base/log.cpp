#include "base/log.h"

#include <fcntl.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <spdlog/spdlog.h>
#include <syslog.h>

#include <cstdio>
#include <memory>

#include "base/error.h"

namespace lunfs::log {

namespace {

spdlog::level::level_enum to_spdlog(Level level) noexcept {
  switch (level) {
    case Level::kError:
      return spdlog::level::err;
    case Level::kWarn:
      return spdlog::level::warn;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kDebug:
      return spdlog::level::debug;
  }
  return spdlog::level::err;
}

/// A mount helper need not have the log.
spdlog::file_event_handlers not_for_others() {
  spdlog::file_event_handlers handlers;
  handlers.after_open = [](const spdlog::filename_t&, std::FILE* file) {
    fcntl(fileno(file), F_SETFD, FD_CLOEXEC);
  };
  return handlers;
}

std::shared_ptr<spdlog::logger> make_logger(Sink sink, const std::string& path) {
  switch (sink) {
    case Sink::kStderr:
      return std::make_shared<spdlog::logger>("lunfs",
                                              std::make_shared<spdlog::sinks::stderr_sink_mt>());
    case Sink::kSyslog:
      return std::make_shared<spdlog::logger>(
          "lunfs",
          std::make_shared<spdlog::sinks::syslog_sink_mt>("lunfs", LOG_PID, LOG_DAEMON, true));
    case Sink::kFile:
      return std::make_shared<spdlog::logger>(
          "lunfs",
          std::make_shared<spdlog::sinks::basic_file_sink_mt>(path, false, not_for_others()));
  }
  return nullptr;
}

/// C0, DEL, and C1 as UTF-8 has it (c2 80 to c2 9f), which some terminals obey as well.
bool is_control(std::string_view text, std::size_t i) noexcept {
  const auto byte = static_cast<unsigned char>(text[i]);
  if (byte < 0x20 || byte == 0x7f) return true;
  const auto in_c1 = [](char c) { return (static_cast<unsigned char>(c) & 0xe0U) == 0x80; };
  if (byte == 0xc2) return i + 1 < text.size() && in_c1(text[i + 1]);
  return in_c1(text[i]) && i > 0 && static_cast<unsigned char>(text[i - 1]) == 0xc2;
}

std::string escaped(std::string_view text, bool keep_layout) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_control(text, i) && !(keep_layout && (text[i] == '\n' || text[i] == '\t'))) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[i]));
    } else {
      result += text[i];
    }
  }
  return result;
}

}  // namespace

void configure(Sink sink, Level level, const std::string& path) {
  try {
    auto logger = make_logger(sink, path);
    if (sink == Sink::kSyslog) {
      logger->set_pattern("%v");
    } else if (sink == Sink::kFile) {
      logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z lunfs[%P] %l: %v");
    } else {
      logger->set_pattern("lunfs: %l: %v");
    }
    logger->set_level(to_spdlog(level));
    logger->flush_on(spdlog::level::debug);
    spdlog::set_default_logger(std::move(logger));
  } catch (const spdlog::spdlog_ex& failure) {
    throw Error(ErrorKind::kUsage, failure.what());
  }
}

std::string printable(std::string_view text) { return escaped(text, true); }

bool enabled(Level level) noexcept { return spdlog::should_log(to_spdlog(level)); }

void write(Level level, std::string_view line) noexcept {
  try {
    spdlog::log(to_spdlog(level), escaped(line, false));
  } catch (...) {  // a log line that cannot be written must not end the request it speaks of
  }
}

}  // namespace lunfs::log

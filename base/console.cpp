#include "base/console.h"

#include <fmt/format.h>

#include <exception>

#include "base/log.h"

namespace lunfs {

bool print(std::FILE* stream, std::string_view text) noexcept {
  try {
    const std::string shown = log::printable(text);
    const bool written = std::fwrite(shown.data(), 1, shown.size(), stream) == shown.size();
    return std::fflush(stream) == 0 && written;
  } catch (...) {  // no memory for the text
    return false;
  }
}

Error current_error() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::exception& error) {
    return {ErrorKind::kInternal, fmt::format("{} (a bug in lunfs)", error.what())};
  }
}

}  // namespace lunfs

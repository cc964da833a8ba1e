#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "iscsi/lun_url.h"

namespace {

using lunfs::iscsi::LunUrl;
using lunfs::iscsi::PortalAddress;

void parse_url(std::string_view text) {
  const LunUrl url = LunUrl::parse(text);
  const LunUrl again = LunUrl::parse(url.text());
  const bool same =
      again.portal == url.portal && again.target == url.target && again.lun == url.lun;
  if (!same || again.user || url.lun > 16383 || url.portal.port == 0) __builtin_trap();
}

void parse_portal(std::string_view text) {
  const PortalAddress portal = PortalAddress::parse(text);
  if (!(PortalAddress::parse(portal.text()) == portal)) __builtin_trap();
}

/// Errors are for terminals and logs, and repeat nothing of the text.
template <typename Parse>
void expect_plain_errors(std::string_view text, Parse parse) {
  try {
    parse(text);
  } catch (const lunfs::Error& error) {
    if (error.kind() != lunfs::ErrorKind::kUsage) __builtin_trap();
    for (const char c : three_part_text(error)) {
      if (c != '\n' && (c < 0x20 || c > 0x7e)) __builtin_trap();
    }
  }
}

}  // namespace

/// Any bytes as the URL of a LUN, and as a portal.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  expect_plain_errors(text, parse_url);
  expect_plain_errors("iscsi://" + text, parse_url);
  expect_plain_errors(text, parse_portal);
  return 0;
}

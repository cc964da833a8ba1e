#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "iscsi/credentials.h"

namespace {

using lunfs::iscsi::Chap;

void check(const Chap& chap) {
  if (chap.username.empty() != chap.password.empty()) __builtin_trap();
  if (chap.username_in.empty() != chap.password_in.empty()) __builtin_trap();
  if (chap.mutual() && (!chap.offered() || chap.password == chap.password_in)) __builtin_trap();
  for (const std::string_view text :
       {std::string_view(chap.username), chap.password.view(), std::string_view(chap.username_in),
        chap.password_in.view()}) {
    if (text.size() > lunfs::iscsi::kMaxSecretBytes) __builtin_trap();
  }
}

}  // namespace

/// Any bytes as a credentials file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    const auto credentials = lunfs::iscsi::Credentials::parse(text, "file");
    const auto target = lunfs::iscsi::Iqn::parse("iqn.2026-11.example:sr");
    check(credentials.for_login(target, {"san.example", 3260}, {}));
    check(credentials.for_discovery({"san.example", 3260}));
  } catch (const lunfs::Error& error) {
    if (error.kind() != lunfs::ErrorKind::kUsage || error.message().rfind("file:", 0) != 0) {
      __builtin_trap();
    }
  }
  return 0;
}

#include "iscsi/libiscsi_context.h"

#include <iscsi/iscsi.h>
#include <sys/random.h>

#include <array>
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "base/log.h"
#include "iscsi/connection.h"

namespace lunfs::iscsi {

namespace {

void log_from_libiscsi(int /*level*/, const char* message) { log::debug("libiscsi: {}", message); }

std::uint32_t random_number() noexcept {
  std::uint32_t number = 0;
  // 4 bytes never come short once the kernel's generator is seeded, which it is before any login.
  if (getrandom(&number, sizeof(number), 0) != sizeof(number))
    number = static_cast<std::uint32_t>(std::rand());
  return number;
}

/// libiscsi has a call for each type.
void set_isid(iscsi_context* context, const Isid& isid) {
  const auto& b = isid.bytes();
  const auto number = [&b](std::size_t first, std::size_t count) {
    std::uint32_t value = 0;
    for (std::size_t i = first; i < first + count; ++i) value = value << 8U | b.at(i);
    return value;
  };
  switch (b[0] >> 6U) {
    case 0:
      iscsi_set_isid_oui(context, number(0, 3), number(3, 3));
      break;
    case 1:
      iscsi_set_isid_en(context, number(1, 3), number(4, 2));
      break;
    default:
      iscsi_set_isid_random(context, number(1, 3), number(4, 2));
      break;
  }
}

}  // namespace

iscsi_context* new_context(const ConnectionOptions& options) {
  const Isid isid = options.isid ? *options.isid : Isid::random();
  iscsi_context* context = iscsi_create_context(options.initiator_name.c_str());
  if (context == nullptr) throw Error(ErrorKind::kInternal, "libiscsi gives no context");
  // libiscsi takes its mutual CHAP challenges from rand(), which it seeds once with 32 bits, and 24
  // bits of the session id: two sessions with the same one throw each other out.
  std::srand(random_number());
  set_isid(context, isid);
  iscsi_set_noautoreconnect(context, 1);
  iscsi_set_header_digest(context, ISCSI_HEADER_DIGEST_NONE);
  iscsi_set_session_type(context, options.target ? ISCSI_SESSION_NORMAL : ISCSI_SESSION_DISCOVERY);
  iscsi_set_alias(context, options.initiator_alias.c_str());
  if (options.target) iscsi_set_targetname(context, options.target->spelling().c_str());
  if (options.chap.offered()) {
    iscsi_set_initiator_username_pwd(context, options.chap.username.c_str(),
                                     options.chap.password.c_str());
  }
  if (options.chap.mutual()) {
    iscsi_set_target_username_pwd(context, options.chap.username_in.c_str(),
                                  options.chap.password_in.c_str());
  }
  if (log::enabled(log::Level::kDebug)) {
    constexpr int kStateChanges = 2;  // higher levels print the login's keys
    iscsi_set_log_fn(context, log_from_libiscsi);
    iscsi_set_log_level(context, kStateChanges);
  } else {
    iscsi_set_log_level(context, 0);  // whatever LIBISCSI_DEBUG says
  }
  return context;
}

void overwrite_secrets(iscsi_context* context) noexcept {
  // As long as what libiscsi has room for.
  std::array<char, kMaxSecretBytes + 1> filling{};
  filling.fill('x');
  filling.back() = '\0';
  iscsi_set_initiator_username_pwd(context, filling.data(), filling.data());
  iscsi_set_target_username_pwd(context, filling.data(), filling.data());
}

}  // namespace lunfs::iscsi

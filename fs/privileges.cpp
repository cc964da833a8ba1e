#include "fs/privileges.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/log.h"

namespace lunfs::fs {

namespace {

constexpr int kBitsOfAWord = 32;

constexpr std::uint64_t bit_of(int capability) { return std::uint64_t{1} << capability; }

/// Two words of 32 bits, the lower one first: version 3 of the interface, in glibc's headers only
/// as structures. Source: capget(2).
using Words = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

bool keep_effective(std::uint64_t kept) noexcept {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  Words words{};
  if (syscall(SYS_capget, &header, words.data()) != 0) return false;
  for (auto& word : words) {
    const auto mask = static_cast<std::uint32_t>(kept);
    kept >>= kBitsOfAWord;
    word.permitted &= mask;
    word.effective &= mask;
    word.inheritable = 0;
  }
  return syscall(SYS_capset, &header, words.data()) == 0;
}

void keep(std::uint64_t kept) noexcept {
  // What root could gain by executing something; first, as it needs CAP_SETPCAP. Ends where the
  // kernel knows no more capabilities.
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; ++capability) {
    prctl(PR_CAPBSET_DROP, capability);
  }
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (!keep_effective(kept)) log::warn("capabilities are not dropped: {}", std::strerror(errno));
}

}  // namespace

void keep_rights_to_mount() noexcept { keep(bit_of(CAP_SYS_ADMIN) | bit_of(CAP_DAC_READ_SEARCH)); }

void give_up_all_rights() noexcept {
  keep(0);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    log::warn("no_new_privs is not set: {}", std::strerror(errno));
  }
}

}  // namespace lunfs::fs

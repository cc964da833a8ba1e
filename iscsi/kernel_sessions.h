#pragma once

#include <string>
#include <vector>

namespace lunfs::iscsi {

/// A session of the kernel's initiator (open-iscsi), as sysfs tells it. What sysfs does not tell is
/// empty. All texts are the kernel's, a target may have had a hand in some of them.
struct KernelSession {
  std::string id;         ///< "session1"
  std::string initiator;  ///< the name that it logged in with
  std::string target;
  std::string portal;  ///< host:port as it was configured
  std::string state;   ///< "LOGGED_IN", "FAILED", "FREE"
  std::string isid;    ///< 12 hex digits
};

/// The sessions below `sysfs`, in the order of their numbers; at most 4096. Empty where the kernel
/// has no initiator. A session that ends meanwhile may be left out, or have empty fields. Asks the
/// kernel only, never a target. Source: Documentation/ABI and drivers/scsi/scsi_transport_iscsi.c
/// of Linux.
std::vector<KernelSession> kernel_sessions(const std::string& sysfs = "/sys");

}  // namespace lunfs::iscsi

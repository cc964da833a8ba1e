#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "iscsi/iqn.h"

/// Makes initiator names: `prefix:xxxxxxxx`, eight hex digits behind a prefix `iqn.yyyy-mm.domain`
/// (with the domain's parts reversed), as XenServer forms them.
namespace lunfs::iscsi {

using YearMonth = std::chrono::year_month;

/// Of the calendar, UTC; a fixed one where the clock was never set.
YearMonth current_month();

/// What a host knows of its DNS domain, without asking the network.
struct DomainSources {
  std::string host_name;    ///< gethostname(2); may be fully qualified
  std::string hosts;        ///< text of /etc/hosts
  std::string resolv_conf;  ///< text of /etc/resolv.conf
};

/// The domain in lower case: of the host's name itself, else of its full name in /etc/hosts, else
/// resolv.conf's `domain` or the first of `search`. Empty if there is none of at least two parts
/// that could stand in an iSCSI name.
std::string domain_of(const DomainSources& sources);

/// "iqn.yyyy-mm." and the domain with its parts reversed; com.example for an empty one.
std::string name_prefix(YearMonth month, std::string_view domain);

/// prefix:number in hex. kUsage if that is no iqn. name; the text of the error is about the prefix.
Iqn make_name(std::string_view prefix, std::uint32_t number);

/// A new name from the kernel's random generator; without a prefix that of this host and month.
/// kUsage for a bad prefix, kInternal without random numbers.
Iqn fresh_name(const std::optional<std::string>& prefix);

/// The same name for the same `identity` at every time; without a prefix a fixed one, as neither
/// month nor domain may have a part in it. kUsage for a bad prefix.
Iqn name_from(std::string_view identity, const std::optional<std::string>& prefix);

/// name_from() the text of /etc/machine-id. kNotFound if it is no machine id.
Iqn name_of_machine(std::string_view machine_id, const std::optional<std::string>& prefix);

/// The text of /etc/machine-id; empty if it cannot be read.
std::string read_machine_id();

}  // namespace lunfs::iscsi

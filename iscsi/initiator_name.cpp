#include "iscsi/initiator_name.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "base/error.h"
#include "iscsi/initiator_file.h"
#include "iscsi/initiator_store.h"
#include "iscsi/name_maker.h"

namespace lunfs::iscsi {

namespace {

std::string host_name() {
  std::array<char, 256> host{};
  return gethostname(host.data(), host.size() - 1) == 0 ? host.data() : "";
}

InitiatorName name_without_store(const Error& failure) {
  InitiatorName result;
  try {
    result.name = name_of_machine(read_machine_id(), std::nullopt).text();
    result.origin = "this machine's id";
  } catch (const Error&) {
    result.name = name_from(host_name(), std::nullopt).text();
    result.origin = "this host's name";
  }
  result.notice = fmt::format(
      "this host has no initiator name, and none could be stored ({}): logging in as {}, made from "
      "{}",
      failure.message(), result.name, result.origin);
  return result;
}

}  // namespace

std::optional<InitiatorName> find_initiator_name(const std::vector<std::string>& places) {
  for (const std::string& path : places) {
    try {
      std::optional<StoredName> stored = load_initiator_name(path);
      if (stored) return InitiatorName{stored->name.text(), std::move(stored->alias), path, {}};
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kPermission || path == places.front()) throw;
    }
  }
  return std::nullopt;
}

InitiatorName initiator_name_of_host(const std::vector<std::string>& places) {
  if (std::optional<InitiatorName> found = find_initiator_name(places)) {
    if (!alias_fault(found->alias).empty()) found->alias.clear();
    return *std::move(found);
  }
  const std::string& place = places.front();
  const Iqn fresh = fresh_name(std::nullopt);
  std::optional<StoredName> stored;
  try {
    stored = load_or_store_initiator_name(place, fresh);
  } catch (const Error& error) {
    return name_without_store(error);
  }
  InitiatorName result{stored->name.text(), std::move(stored->alias), place, {}};
  if (stored->name == fresh) {
    result.notice = fmt::format("this host had no initiator name: made {} and stored it in {}",
                                result.name, place);
  }
  return result;
}

}  // namespace lunfs::iscsi

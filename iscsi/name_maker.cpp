#include "iscsi/name_maker.h"

#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace lunfs::iscsi {

namespace {

constexpr std::string_view kNobodysDomain = "com.example";
/// Names of machines must not change with the calendar.
constexpr YearMonth kMonthOfMachineNames{std::chrono::year{2026}, std::chrono::month{11}};
/// A clock that shows less was never set.
constexpr std::chrono::year kFirstCredibleYear{2020};
constexpr std::size_t kMachineIdDigits = 32;
constexpr std::size_t kMaxDomainBytes = 190;  // a name has 223
constexpr std::size_t kMaxSourceBytes = 64 * 1024;

std::string start_of(const char* path) {
  std::ifstream file(path);
  std::string text(kMaxSourceBytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

std::vector<std::string> parts_of(std::string_view domain) {
  std::vector<std::string> parts(1);
  for (const char c : domain) {
    if (c == '.') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

/// The domain as it may stand in a name, or empty.
std::string usable(std::string domain) {
  domain = lower_case(domain);
  if (domain.ends_with('.')) domain.pop_back();
  if (domain.find('.') == std::string::npos || domain.size() > kMaxDomainBytes) return {};
  const YearMonth any_month = kMonthOfMachineNames;
  return iscsi_name_faults(name_prefix(any_month, domain) + ":0").empty() &&
                 domain.find(':') == std::string::npos
             ? domain
             : std::string();
}

std::string behind_first_dot(std::string_view name) {
  const std::size_t dot = name.find('.');
  return dot == std::string_view::npos ? std::string() : std::string(name.substr(dot + 1));
}

/// Calls `use` with the words of each line, comments cut off.
template <typename Use>
void for_each_line(const std::string& text, Use use) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find_first_of("#;")));
    std::vector<std::string> all;
    for (std::string word; words >> word;) all.push_back(word);
    if (!all.empty()) use(all);
  }
}

/// A line of /etc/hosts is "address full.name name": its full name if one of them is the host's.
std::string domain_in_hosts(const std::string& hosts, const std::string& host_name) {
  std::string domain;
  for_each_line(hosts, [&](const std::vector<std::string>& words) {
    if (!domain.empty() || words.size() < 2) return;
    const bool ours = std::any_of(words.begin() + 1, words.end(), [&](const std::string& word) {
      return lower_case(word) == host_name || lower_case(word).starts_with(host_name + ".");
    });
    if (ours) domain = usable(behind_first_dot(words[1]));
  });
  return domain;
}

std::string domain_in_resolv_conf(const std::string& text) {
  std::string domain;
  for_each_line(text, [&](const std::vector<std::string>& words) {
    // The last of such lines counts, as for the resolver.
    if (words.size() > 1 && (words[0] == "domain" || words[0] == "search")) {
      domain = usable(words[1]);
    }
  });
  return domain;
}

DomainSources sources_of_host() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) name[0] = '\0';
  return {name.data(), start_of("/etc/hosts"), start_of("/etc/resolv.conf")};
}

}  // namespace

YearMonth current_month() {
  const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
  const std::chrono::year_month_day date(today);
  if (date.year() < kFirstCredibleYear) return kMonthOfMachineNames;
  return {date.year(), date.month()};
}

std::string domain_of(const DomainSources& sources) {
  const std::string host = lower_case(sources.host_name);
  if (std::string own = usable(behind_first_dot(host)); !own.empty()) return own;
  if (!host.empty()) {
    const std::string name = host.substr(0, host.find('.'));
    if (std::string known = domain_in_hosts(sources.hosts, name); !known.empty()) return known;
  }
  return domain_in_resolv_conf(sources.resolv_conf);
}

std::string name_prefix(YearMonth month, std::string_view domain) {
  std::string reversed;
  for (const std::string& part : parts_of(domain)) {
    reversed = reversed.empty() ? part : part + "." + reversed;
  }
  return fmt::format("iqn.{:04}-{:02}.{}", static_cast<int>(month.year()),
                     static_cast<unsigned>(month.month()),
                     reversed.empty() ? std::string(kNobodysDomain) : reversed);
}

Iqn make_name(std::string_view prefix, std::uint32_t number) {
  const std::string name = fmt::format("{}:{:08x}", prefix, number);
  std::vector<std::string> faults = iscsi_name_faults(name);
  if (faults.empty() && lower_case(prefix.substr(0, 4)) != "iqn.") {
    faults.emplace_back("it does not start with iqn.");
  }
  if (!faults.empty()) {
    throw Error(ErrorKind::kUsage, fmt::format("no prefix of a name: {}", faults.front()))
        .because("a prefix is made of iqn., a month and a domain with its parts reversed")
        .advise("write it like iqn.2001-05.com.example, with a month when the domain was yours");
  }
  return Iqn::parse(name);
}

Iqn fresh_name(const std::optional<std::string>& prefix) {
  std::uint32_t number = 0;
  if (getrandom(&number, sizeof number, 0) != static_cast<ssize_t>(sizeof number)) {
    throw Error(ErrorKind::kInternal, "the kernel gives no random numbers");
  }
  return make_name(prefix ? *prefix : name_prefix(current_month(), domain_of(sources_of_host())),
                   number);
}

Iqn name_from(std::string_view identity, const std::optional<std::string>& prefix) {
  const std::string key = fmt::format("lunfs initiator {}", identity);
  const auto number = static_cast<std::uint32_t>(XXH3_64bits(key.data(), key.size()) >> 32U);
  return make_name(prefix ? *prefix : name_prefix(kMonthOfMachineNames, {}), number);
}

Iqn name_of_machine(std::string_view machine_id, const std::optional<std::string>& prefix) {
  const std::string_view id = machine_id.substr(0, machine_id.find('\n'));
  const bool good = id.size() == kMachineIdDigits && std::all_of(id.begin(), id.end(), [](char c) {
                      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                    });
  if (!good) {
    throw Error(ErrorKind::kNotFound, "this machine has no id: /etc/machine-id is not one")
        .because("the file is missing or empty, as in an image that was made to be copied")
        .advise("make one (systemd-machine-id-setup), or generate a name without it");
  }
  return name_from(id, prefix);
}

std::string read_machine_id() { return start_of("/etc/machine-id"); }

}  // namespace lunfs::iscsi

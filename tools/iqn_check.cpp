#include "tools/iqn_check.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/exit_codes.h"
#include "base/text.h"
#include "iscsi/name_review.h"
#include "tools/table.h"

namespace lunfs::tools {

namespace {

constexpr std::size_t kMaxListBytes = 1 << 20U;

std::string read_list(std::istream& input) {
  std::string text(kMaxListBytes + 1, '\0');
  input.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(input.gcount()));
  if (input.bad()) {
    throw Error(ErrorKind::kIo, "the list cannot be read")
        .because("standard input is a folder, or its disk fails")
        .advise("name a file behind the <");
  }
  if (text.size() <= kMaxListBytes) return text;
  throw Error(ErrorKind::kUsage, fmt::format("the list is longer than {} bytes", kMaxListBytes))
      .because("it is no list of names")
      .advise("give one name a line");
}

/// A line that is nothing like a name may be a secret out of another file: it is not shown.
bool may_be_shown(const iscsi::ListedName& name) {
  if (name.place.empty()) return true;  // the user's own words
  const std::string form = lower_case(std::string_view(name.text).substr(0, 4));
  return form == "iqn." || form == "eui." || form == "naa.";
}

std::string title_of(const iscsi::ListedName& name) {
  if (name.place.empty()) return name.text.empty() ? "''" : name.text;
  return may_be_shown(name) ? fmt::format("{}: {}", name.place, name.text) : name.place;
}

Json to_json(const std::vector<iscsi::ReviewedName>& reviewed) {
  Json names = Json::array();
  for (const iscsi::ReviewedName& one : reviewed) {
    Json name = {{"name", may_be_shown(one.listed) ? one.listed.text : ""},
                 {"good", one.faults.empty()},
                 {"faults", one.faults}};
    if (!one.listed.place.empty()) name["place"] = one.listed.place;
    if (!one.normal.empty()) name["normal_form"] = one.normal;
    names.push_back(std::move(name));
  }
  return names;
}

std::string to_text(const std::vector<iscsi::ReviewedName>& reviewed, bool good) {
  std::string text;
  for (const iscsi::ReviewedName& one : reviewed) {
    for (const std::string& fault : one.faults) {
      text += fmt::format("{}: {}\n", title_of(one.listed), fault);
    }
  }
  if (good)
    text = fmt::format("{} name{}, no fault\n", reviewed.size(), reviewed.size() == 1 ? "" : "s");
  return text;
}

struct CheckOptions {
  std::vector<std::string> names;
  bool json = false;
};

int check(const Program& program, const CheckOptions& options, std::istream& input) {
  std::vector<iscsi::ListedName> names;
  for (const std::string& word : options.names) {
    if (word != "-") {
      names.push_back({word, {}});
      continue;
    }
    for (iscsi::ListedName& name : iscsi::names_in_list(read_list(input))) {
      names.push_back(std::move(name));
    }
  }
  if (names.empty()) {
    throw Error(ErrorKind::kNotFound, "the list has no name in it")
        .because("it is empty, or all of it is comments")
        .advise("give one name a line");
  }
  const auto reviewed = iscsi::review_names(names, iscsi::current_month());
  const bool good = std::all_of(reviewed.begin(), reviewed.end(),
                                [](const auto& one) { return one.faults.empty(); });
  program.print(options.json ? json_text({{"good", good}, {"names", to_json(reviewed)}})
                             : to_text(reviewed, good));
  return good ? kExitSuccess : kExitUsage;
}

}  // namespace

void add_iqn_check_command(Program& program, std::istream& input) {
  const auto options = std::make_shared<CheckOptions>();
  CLI::App& app =
      program.add_command("check", "tell what is wrong with names, one line a fault",
                          [&program, options, &input] { return check(program, *options, input); });
  app.add_option("NAME", options->names, "names; - reads a list of them")->required();
  app.add_flag("--json", options->json, "print a JSON object");
}

}  // namespace lunfs::tools

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "iscsi/initiator_file.h"
#include "iscsi/name_maker.h"
#include "iscsi/name_review.h"

namespace {

using lunfs::iscsi::InitiatorFile;

void expect(bool holds) {
  if (!holds) __builtin_trap();
}

/// A change is there when the file is read again, and the other key as it was.
void change(const std::string& text) {
  InitiatorFile file = InitiatorFile::parse(text);
  expect(file.text() == text);
  const std::string alias = file.alias();
  file.set_name("iqn.2001-05.com.example:new");
  file = InitiatorFile::parse(file.text());
  expect(file.name() == "iqn.2001-05.com.example:new" && file.alias() == alias);
  const std::string once = file.text();
  file.set_name("iqn.2001-05.com.example:new");
  expect(file.text() == once);
  file.set_alias("");
  expect(InitiatorFile::parse(file.text()).alias().empty());
}

/// A list: each name is there once, and faults repeat nothing that a terminal should not see.
void review(const std::string& text) {
  const auto names = lunfs::iscsi::names_in_list(text);
  const auto reviewed = lunfs::iscsi::review_names(names, lunfs::iscsi::current_month());
  expect(reviewed.size() == names.size());
  for (const auto& one : reviewed) {
    for (const std::string& fault : one.faults) {
      for (const char c : fault) expect(c >= 0x20 && c < 0x7f);
    }
  }
}

/// What a host says of itself: any text gives a prefix that makes a name.
void domain(const std::string& text) {
  const lunfs::iscsi::DomainSources sources{text.substr(0, text.find('\n')), text, text};
  const std::string found = lunfs::iscsi::domain_of(sources);
  lunfs::iscsi::make_name(lunfs::iscsi::name_prefix(lunfs::iscsi::current_month(), found), 1);
}

}  // namespace

/// Any bytes as initiatorname.iscsi, as a pool's list of names, and as the files that name the
/// host.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  change(text);
  review(text);
  domain(text);
  return 0;
}

#include "volume/sr/by_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace lunfs::sr {

namespace {

constexpr std::size_t kMaxNameBytes = 255;
constexpr std::string_view kSuffix = ".raw";
constexpr char kEscape = '%';
constexpr std::size_t kEscapeLength = 3;

unsigned char byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

bool is_continuation(unsigned char byte) { return (byte & 0xc0U) == 0x80U; }

/// Bytes of the valid UTF-8 character that begins at `i`; 0 if none does. Overlong forms,
/// surrogates and values beyond U+10FFFF are not valid.
std::size_t utf8_length(std::string_view text, std::size_t i) {
  const unsigned char lead = byte_at(text, i);
  if (lead < 0x80U) return 1;
  std::size_t length = 0;
  if (lead >= 0xc2U && lead <= 0xdfU) length = 2;
  if (lead >= 0xe0U && lead <= 0xefU) length = 3;
  if (lead >= 0xf0U && lead <= 0xf4U) length = 4;
  if (length == 0 || i + length > text.size()) return 0;
  for (std::size_t k = 1; k < length; ++k) {
    if (!is_continuation(byte_at(text, i + k))) return 0;
  }
  const unsigned char second = byte_at(text, i + 1);
  const bool bad = (lead == 0xe0U && second < 0xa0U) || (lead == 0xedU && second > 0x9fU) ||
                   (lead == 0xf0U && second < 0x90U) || (lead == 0xf4U && second > 0x8fU);
  return bad ? 0 : length;
}

/// U+0000 to U+001F, U+007F to U+009F; the latter are control characters to terminals as well.
bool is_control(std::string_view character) {
  const unsigned char first = byte_at(character, 0);
  if (character.size() == 1) return first < 0x20U || first == 0x7fU;
  return first == 0xc2U && byte_at(character, 1) < 0xa0U;
}

std::string numbered(std::string_view escaped, std::size_t number) {
  const std::string tail =
      number == 1 ? std::string(kSuffix) : fmt::format(" ({}){}", number, kSuffix);
  return fmt::format("{}{}", cut_escaped(escaped, kMaxNameBytes - tail.size()), tail);
}

}  // namespace

std::string escape_label(std::string_view label) {
  std::string escaped;
  for (std::size_t i = 0; i < label.size();) {
    const std::size_t length = utf8_length(label, i);
    const std::string_view character = label.substr(i, std::max<std::size_t>(length, 1));
    const bool keep = length > 0 && !is_control(character) && character != "/" &&
                      character.front() != kEscape && !(i == 0 && character == ".");
    if (keep) {
      escaped += character;
    } else {
      for (std::size_t k = 0; k < character.size(); ++k) {
        escaped += fmt::format("{}{:02X}", kEscape, byte_at(character, k));
      }
    }
    i += character.size();
  }
  return escaped;
}

std::string_view cut_escaped(std::string_view escaped, std::size_t limit) noexcept {
  std::size_t end = 0;
  while (end < escaped.size()) {
    const std::size_t length = escaped[end] == kEscape ? kEscapeLength : utf8_length(escaped, end);
    if (length == 0 || end + length > limit) break;
    end += length;
  }
  return escaped.substr(0, end);
}

bool is_file_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= kMaxNameBytes && name != "." && name != ".." &&
         name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

std::vector<NameLink> make_name_links(std::span<const Volume> volumes) {
  struct Labelled {
    const Volume* volume;
    std::string escaped;
  };
  std::vector<Labelled> labelled;
  for (const Volume& volume : volumes) {
    if (!volume.label.empty()) labelled.push_back({&volume, escape_label(volume.label)});
  }
  std::sort(labelled.begin(), labelled.end(), [](const Labelled& a, const Labelled& b) {
    return a.volume->uuid != b.volume->uuid ? a.volume->uuid < b.volume->uuid
                                            : a.volume->file_name < b.volume->file_name;
  });

  std::vector<NameLink> links;
  std::set<std::string> taken;
  std::vector<const Labelled*> doubles;
  // Every label's first owner comes before any numbering: a VDI really called "disk (2)" keeps it.
  for (const Labelled& one : labelled) {
    std::string name = numbered(one.escaped, 1);
    if (taken.insert(name).second) {
      links.push_back({std::move(name), one.volume->file_name});
    } else {
      doubles.push_back(&one);
    }
  }
  std::map<std::string, std::size_t> next;  // where counting goes on, so that it stays linear
  for (const Labelled* one : doubles) {
    std::size_t& number = next.try_emplace(numbered(one->escaped, 1), 2).first->second;
    while (!taken.insert(numbered(one->escaped, number)).second) ++number;
    links.push_back({numbered(one->escaped, number), one->volume->file_name});
  }
  return links;
}

}  // namespace lunfs::sr

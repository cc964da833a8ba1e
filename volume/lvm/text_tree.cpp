#include "volume/lvm/text_tree.h"

#include <fmt/format.h>
#include <libdevmapper.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>

#include "base/error.h"
#include "volume/lvm/names.h"
#include "volume/lvm/text_scan.h"

namespace lunfs::lvm {

namespace {

/// What the parser says while a parse of this thread runs; libdevmapper has one log function for
/// the whole process and passes it no context.
thread_local std::string* parser_log = nullptr;

extern "C" void keep_parser_message(int /*level*/, const char* /*file*/, int /*line*/,
                                    int /*errno_or_class*/, const char* format, ...)
    __attribute__((format(printf, 5, 6)));

extern "C" void keep_parser_message(int level, const char* /*file*/, int /*line*/,
                                    int /*errno_or_class*/, const char* format, ...) {
  // The first error says where it hurts; debug messages are only its backtrace.
  constexpr int kLevelMask = 7;
  constexpr int kWarning = 4;
  if (parser_log == nullptr || !parser_log->empty() || (level & kLevelMask) > kWarning) return;
  std::array<char, 256> line{};
  std::va_list arguments;
  va_start(arguments, format);
  static_cast<void>(std::vsnprintf(line.data(), line.size(), format, arguments));
  va_end(arguments);
  *parser_log = printable(line.data());
}

class ParserLog {
 public:
  ParserLog() {
    static const bool kInstalled = [] {
      dm_log_with_errno_init(keep_parser_message);
      return true;
    }();
    static_cast<void>(kInstalled);
    parser_log = &text_;
  }
  ParserLog(const ParserLog&) = delete;
  ParserLog& operator=(const ParserLog&) = delete;
  ~ParserLog() { parser_log = nullptr; }

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

TextValue to_value(const dm_config_value& value) {
  switch (value.type) {
    case DM_CFG_INT:
      return value.v.i;
    case DM_CFG_FLOAT:
      return static_cast<double>(value.v.f);
    default:
      return std::string_view(value.v.str);
  }
}

std::vector<TextValue> to_values(const dm_config_node& node) {
  std::vector<TextValue> values;
  for (const dm_config_value* value = node.v; value != nullptr; value = value->next) {
    if (value->type != DM_CFG_EMPTY_ARRAY) values.push_back(to_value(*value));
  }
  return values;
}

std::string shown(const std::vector<TextValue>& values) {
  if (values.size() != 1) return fmt::format("a list of {}", values.size());
  if (const auto* number = std::get_if<std::int64_t>(&values[0])) return fmt::format("{}", *number);
  if (const auto* number = std::get_if<double>(&values[0])) return fmt::format("{}", *number);
  return fmt::format("\"{}\"", printable(std::get<std::string_view>(values[0])));
}

Error bad_value(std::string_view key, const dm_config_node& node, const std::string& expected) {
  return {ErrorKind::kCorrupt,
          fmt::format("{} is {}, expected {}", printable(key), shown(to_values(node)), expected)};
}

}  // namespace

std::string_view TextSection::name() const noexcept { return node_->key; }

std::vector<TextSection> TextSection::sections() const {
  std::vector<TextSection> found;
  for (const dm_config_node* node = node_->child; node != nullptr; node = node->sib) {
    if (node->v == nullptr) found.emplace_back(node);
  }
  return found;
}

std::vector<TextField> TextSection::fields() const {
  std::vector<TextField> found;
  for (const dm_config_node* node = node_->child; node != nullptr; node = node->sib) {
    if (node->v != nullptr) found.push_back({node->key, to_values(*node)});
  }
  return found;
}

const dm_config_node* TextSection::find(std::string_view key) const noexcept {
  const dm_config_node* node = node_->child;
  while (node != nullptr && key != node->key) node = node->sib;
  return node;
}

const dm_config_node& TextSection::field(std::string_view key) const {
  const dm_config_node* node = find(key);
  if (node == nullptr) {
    throw Error(ErrorKind::kCorrupt, fmt::format("{} is missing", printable(key)));
  }
  if (node->v == nullptr) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("{} is a section, expected a value", printable(key)));
  }
  return *node;
}

std::optional<TextSection> TextSection::section(std::string_view key) const {
  const dm_config_node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (node->v != nullptr) throw bad_value(key, *node, "a section");
  return TextSection(node);
}

bool TextSection::has(std::string_view key) const noexcept { return find(key) != nullptr; }

std::uint64_t TextSection::number(std::string_view key, std::uint64_t max) const {
  const dm_config_node& node = field(key);
  const bool single = node.v->next == nullptr && node.v->type == DM_CFG_INT;
  if (!single || node.v->v.i < 0 || static_cast<std::uint64_t>(node.v->v.i) > max) {
    throw bad_value(key, node, fmt::format("a number from 0 to {}", max));
  }
  return static_cast<std::uint64_t>(node.v->v.i);
}

std::uint32_t TextSection::number32(std::string_view key) const {
  return static_cast<std::uint32_t>(number(key, std::numeric_limits<std::uint32_t>::max()));
}

std::uint64_t TextSection::number_or(std::string_view key, std::uint64_t fallback) const noexcept {
  const dm_config_node* node = find(key);
  const bool usable = node != nullptr && node->v != nullptr && node->v->next == nullptr &&
                      node->v->type == DM_CFG_INT && node->v->v.i >= 0;
  return usable ? static_cast<std::uint64_t>(node->v->v.i) : fallback;
}

std::string_view TextSection::text(std::string_view key) const {
  const dm_config_node& node = field(key);
  if (node.v->next != nullptr || node.v->type != DM_CFG_STRING) {
    throw bad_value(key, node, "a string");
  }
  return node.v->v.str;
}

std::optional<std::string_view> TextSection::optional_text(std::string_view key) const {
  if (!has(key)) return std::nullopt;
  return text(key);
}

std::vector<std::string_view> TextSection::words(std::string_view key) const {
  const dm_config_node& node = field(key);
  std::vector<std::string_view> found;
  for (const TextValue& value : to_values(node)) {
    const auto* word = std::get_if<std::string_view>(&value);
    if (word == nullptr) throw bad_value(key, node, "a list of strings");
    found.push_back(*word);
  }
  return found;
}

std::vector<std::string_view> TextSection::optional_words(std::string_view key) const {
  if (!has(key)) return {};
  return words(key);
}

std::vector<TextValue> TextSection::values(std::string_view key) const {
  return to_values(field(key));
}

void TextSection::check_no_duplicates() const {
  std::vector<std::string_view> keys;
  for (const dm_config_node* node = node_->child; node != nullptr; node = node->sib) {
    keys.emplace_back(node->key);
  }
  std::sort(keys.begin(), keys.end());
  const auto twice = std::adjacent_find(keys.begin(), keys.end());
  if (twice != keys.end()) {
    throw Error(ErrorKind::kCorrupt, fmt::format("{} stands there twice", printable(*twice)));
  }
}

TextTree TextTree::parse(std::string_view text) {
  check_text(text);
  const ParserLog log;
  Owner tree(dm_config_create());
  if (!tree) throw Error(ErrorKind::kInternal, "no memory for the metadata text");
  // The parser looks at the byte behind the end; a string has a NUL there.
  const std::string copy(text);
  const char* const begin = copy.c_str();
  if (dm_config_parse_without_dup_node_check(tree.get(), begin, begin + copy.size()) == 0) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("the metadata text of {} bytes cannot be parsed: {}", text.size(),
                            log.text().empty() ? "it is empty" : log.text()));
  }
  return TextTree(std::move(tree));
}

void TextTree::Destroy::operator()(dm_config_tree* tree) const noexcept { dm_config_destroy(tree); }

std::vector<TextSection> TextTree::sections() const {
  std::vector<TextSection> found;
  for (const dm_config_node* node = tree_->root; node != nullptr; node = node->sib) {
    if (node->v == nullptr) found.emplace_back(node);
  }
  return found;
}

std::optional<std::string_view> TextTree::top_text(std::string_view key) const {
  for (const dm_config_node* node = tree_->root; node != nullptr; node = node->sib) {
    if (key != node->key || node->v == nullptr) continue;
    if (node->v->type == DM_CFG_STRING) return std::string_view(node->v->v.str);
  }
  return std::nullopt;
}

std::optional<std::int64_t> TextTree::top_number(std::string_view key) const {
  for (const dm_config_node* node = tree_->root; node != nullptr; node = node->sib) {
    if (key == node->key && node->v != nullptr && node->v->type == DM_CFG_INT) return node->v->v.i;
  }
  return std::nullopt;
}

}  // namespace lunfs::lvm

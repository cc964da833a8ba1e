#include "tools/table.h"

#include <fmt/format.h>
#include <locale.h>
#include <wchar.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <type_traits>
#include <vector>

#include "base/log.h"

namespace lunfs::tools {

namespace {

constexpr std::string_view kAbsent = "-";
constexpr std::string_view kGap = "  ";

/// Null if the record has no such field, or a null.
const Json* find_field(const Json& record, std::string_view field) {
  const Json* found = nullptr;
  if (field.starts_with('/')) {
    const Json::json_pointer place{std::string(field)};
    if (record.contains(place)) found = &record.at(place);
  } else if (const auto at = record.find(field); at != record.end()) {
    found = &*at;
  }
  return found == nullptr || found->is_null() ? nullptr : found;
}

std::string text_of(const Json& value, Column::Kind kind) {
  if (kind == Column::Kind::kSize && value.is_number_unsigned()) {
    return size_text(value.get<std::uint64_t>());
  }
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_string()) return one_line(value.get_ref<const std::string&>());
  if (value.is_array()) {
    std::string list;
    for (const Json& one : value) list += (list.empty() ? "" : ", ") + text_of(one, kind);
    return list;
  }
  return value.dump();
}

std::string cell(const Json& record, const Column& column) {
  const Json* value = find_field(record, column.field);
  std::string text = value == nullptr ? std::string() : text_of(*value, column.kind);
  return text.empty() ? std::string(kAbsent) : text;
}

bool any_has(const Json& records, const Column& column) {
  return std::any_of(records.begin(), records.end(),
                     [&](const Json& record) { return cell(record, column) != kAbsent; });
}

using Row = std::vector<std::string>;

std::string line_of(const Row& row, std::span<const Column> columns,
                    const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) line += kGap;
    const std::string padding(widths[i] - display_width(row[i]), ' ');
    const bool right = columns[i].kind != Column::Kind::kText;
    line += right ? padding + row[i] : row[i] + padding;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

/// UTF-8 for this thread while it lives, whatever locale the program has.
class Utf8Scope {
 public:
  Utf8Scope()
      : locale_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr), &freelocale),
        before_(locale_ ? uselocale(locale_.get()) : nullptr) {}
  Utf8Scope(const Utf8Scope&) = delete;
  Utf8Scope& operator=(const Utf8Scope&) = delete;
  ~Utf8Scope() {
    if (before_ != nullptr) uselocale(before_);
  }

 private:
  std::unique_ptr<std::remove_pointer_t<locale_t>, void (*)(locale_t)> locale_;
  locale_t before_;
};

}  // namespace

std::string one_line(std::string_view text) {
  std::string result;
  for (const char c : log::printable(text)) {
    if (c == '\n' || c == '\t') {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      result += c;
    }
  }
  return result;
}

Json error_json(const Error& error) {
  Json json = {{"kind", to_string(error.kind())}, {"message", error.message()}};
  if (!error.cause().empty()) json["cause"] = error.cause();
  if (!error.remedy().empty()) json["remedy"] = error.remedy();
  return json;
}

std::size_t display_width(std::string_view text) {
  const Utf8Scope utf8;
  std::size_t width = 0;
  mbstate_t state{};
  while (!text.empty()) {
    wchar_t character = 0;
    const std::size_t length = mbrtowc(&character, text.data(), text.size(), &state);
    if (length == 0 || length > text.size()) {  // a NUL, or no UTF-8
      state = {};
      ++width;
      text.remove_prefix(1);
      continue;
    }
    width += static_cast<std::size_t>(std::max(wcwidth(character), 0));
    text.remove_prefix(length);
  }
  return width;
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::array kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  constexpr std::uint64_t kStep = 1024;
  if (bytes < kStep) return fmt::format("{} B", bytes);
  std::size_t unit = 0;
  std::uint64_t rest = bytes;
  while (rest >= kStep * kStep && unit + 1 < kUnits.size()) {
    rest /= kStep;
    ++unit;
  }
  return fmt::format("{}.{} {}", rest / kStep, rest % kStep * 10 / kStep, kUnits[unit]);
}

std::string table_text(std::span<const Column> all_columns, const Json& records) {
  if (records.empty()) return {};
  std::vector<Column> columns;
  std::copy_if(all_columns.begin(), all_columns.end(), std::back_inserter(columns),
               [&](const Column& column) { return !column.optional || any_has(records, column); });
  std::vector<Row> rows(1);
  for (const Column& column : columns) rows[0].push_back(column.title);
  for (const Json& record : records) {
    Row& row = rows.emplace_back();
    for (const Column& column : columns) row.push_back(cell(record, column));
  }
  std::vector<std::size_t> widths(columns.size());
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i]));
    }
  }
  std::string text;
  for (const Row& row : rows) text += line_of(row, columns, widths);
  return text;
}

std::string facts_text(std::span<const Column> facts, const Json& record) {
  std::size_t width = 0;
  for (const Column& fact : facts) {
    if (find_field(record, fact.field) != nullptr) {
      width = std::max(width, display_width(fact.title));
    }
  }
  std::string text;
  for (const Column& fact : facts) {
    const Json* value = find_field(record, fact.field);
    if (value == nullptr) continue;
    const std::string shown = text_of(*value, fact.kind);
    if (shown.empty()) continue;
    const std::string padding(width - display_width(fact.title), ' ');
    text += fmt::format("{}{}{}{}\n", fact.title, padding, kGap, shown);
  }
  return text;
}

std::string minimal_text(const Json& records, std::string_view field) {
  std::string text;
  for (const Json& record : records) {
    const Json* value = find_field(record, field);
    if (value == nullptr) continue;
    if (!text.empty()) text += ',';
    text += text_of(*value, Column::Kind::kText);
  }
  return text + "\n";
}

std::string json_text(const Json& document) {
  const std::string dumped = document.dump(2, ' ', false, Json::error_handler_t::replace);
  // The library leaves DEL and C1 as they are, which a terminal obeys. Both stand in strings only.
  std::string text;
  for (std::size_t i = 0; i < dumped.size(); ++i) {
    const auto byte = static_cast<unsigned char>(dumped[i]);
    const auto next = static_cast<unsigned char>(i + 1 < dumped.size() ? dumped[i + 1] : 0);
    if (byte == 0x7f) {
      text += "\\u007f";
    } else if (byte == 0xc2 && next >= 0x80 && next < 0xa0) {
      text += fmt::format("\\u{:04x}", next);
      ++i;
    } else {
      text += dumped[i];
    }
  }
  return text + "\n";
}

}  // namespace lunfs::tools

#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

/// What the tools print. Facts are JSON objects with stable field names; the aligned table, --json
/// and --minimal are three views of the same ones. Pure; no I/O.
namespace lunfs::tools {

using Json = nlohmann::ordered_json;

/// A field of a record as people read it.
struct Column {
  enum class Kind {
    kText,    ///< to the left; yes and no, lists with commas
    kNumber,  ///< to the right
    kSize,    ///< bytes, shown by size_text(), to the right
  };
  std::string title;
  std::string field;  ///< of the record; with a '/' in front a JSON pointer ("/sr/label")
  Kind kind = Kind::kText;
  bool optional = false;  ///< left out of a table in which no record has it
};

/// A line of titles and a line for each record of the array, columns apart by two blanks. What a
/// record does not have is "-". Empty for no records. Control characters, line ends too, stand as
/// \xNN: a name on a LUN cannot make a line of its own.
[[nodiscard]] std::string table_text(std::span<const Column> columns, const Json& records);

/// One record: a line "title  value" for each field that it has.
[[nodiscard]] std::string facts_text(std::span<const Column> facts, const Json& record);

/// Text from a LUN or a target on one line of a terminal: control characters as \xNN.
[[nodiscard]] std::string one_line(std::string_view text);

/// The field of every record that has it, separated by commas, as xe --minimal prints uuids; a line
/// end behind. Only a line end for none.
[[nodiscard]] std::string minimal_text(const Json& records, std::string_view field);

/// The document, indented by two, with a line end. Bytes that are not UTF-8 are replaced, control
/// characters escaped.
[[nodiscard]] std::string json_text(const Json& document);

/// {"kind", "message", "cause", "remedy"}; the last two only where they are known.
[[nodiscard]] Json error_json(const Error& error);

/// "0 B", "512 B", "4.0 MiB", "2.0 TiB": powers of 1024, rounded down to a tenth, so that nothing
/// seems to be larger than it is.
[[nodiscard]] std::string size_text(std::uint64_t bytes);

/// Columns of a terminal that UTF-8 text takes; a byte that is none counts as one.
[[nodiscard]] std::size_t display_width(std::string_view text);

}  // namespace lunfs::tools

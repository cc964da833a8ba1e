#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

struct dm_config_node;
struct dm_config_tree;

namespace lunfs::lvm {

/// A value of the text. Strings live as long as the tree.
using TextValue = std::variant<std::int64_t, double, std::string_view>;

/// `key = value` or `key = [ value, ... ]`. A list of one and a scalar are the same thing.
struct TextField {
  std::string_view key;
  std::vector<TextValue> values;
};

/// A view of one section; valid as long as its tree. Getters throw Error kCorrupt that names the
/// key, what was found and what was expected. They take the first field of a key: call
/// check_no_duplicates() before.
class TextSection {
 public:
  explicit TextSection(const dm_config_node* node) noexcept : node_(node) {}

  [[nodiscard]] std::string_view name() const noexcept;

  /// Sub-sections in the text's order.
  [[nodiscard]] std::vector<TextSection> sections() const;
  [[nodiscard]] std::vector<TextField> fields() const;
  /// The sub-section of that name, if there is one.
  [[nodiscard]] std::optional<TextSection> section(std::string_view key) const;
  [[nodiscard]] bool has(std::string_view key) const noexcept;

  /// A whole number from 0 to `max`.
  [[nodiscard]] std::uint64_t number(std::string_view key, std::uint64_t max) const;
  [[nodiscard]] std::uint32_t number32(std::string_view key) const;
  /// The number if there is one, else `fallback`; for counting where an error is told elsewhere.
  [[nodiscard]] std::uint64_t number_or(std::string_view key,
                                        std::uint64_t fallback) const noexcept;
  /// One string.
  [[nodiscard]] std::string_view text(std::string_view key) const;
  [[nodiscard]] std::optional<std::string_view> optional_text(std::string_view key) const;
  /// A list of strings, possibly empty.
  [[nodiscard]] std::vector<std::string_view> words(std::string_view key) const;
  [[nodiscard]] std::vector<std::string_view> optional_words(std::string_view key) const;
  /// Any values.
  [[nodiscard]] std::vector<TextValue> values(std::string_view key) const;

  /// kCorrupt if two fields or sub-sections of this section have one name; lvm2's parser would
  /// take either.
  void check_no_duplicates() const;

 private:
  [[nodiscard]] const dm_config_node* find(std::string_view key) const noexcept;
  [[nodiscard]] const dm_config_node& field(std::string_view key) const;

  const dm_config_node* node_;
};

/// A parsed text, by libdevmapper's parser. Immutable; one thread at a time.
class TextTree {
 public:
  /// Runs check_text() first. Errors: kCorrupt with the parser's own words and the position.
  static TextTree parse(std::string_view text);

  /// What stands outside of all sections, and the sections at the top.
  [[nodiscard]] std::vector<TextSection> sections() const;
  [[nodiscard]] std::optional<std::string_view> top_text(std::string_view key) const;
  [[nodiscard]] std::optional<std::int64_t> top_number(std::string_view key) const;

 private:
  struct Destroy {
    void operator()(dm_config_tree* tree) const noexcept;
  };
  using Owner = std::unique_ptr<dm_config_tree, Destroy>;
  explicit TextTree(Owner tree) noexcept : tree_(std::move(tree)) {}

  Owner tree_;
};

}  // namespace lunfs::lvm

#include "volume/lvm/text_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/error.h"
#include "volume/lvm/names.h"

namespace lunfs::lvm {

namespace {

bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Cuts the text as the parser does. The one thing that it must never get wrong is what lies in a
/// string, a comment or a word, as braces count only outside: so whatever the parser would cut in
/// a surprising way is refused here instead of imitated.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  void run() {
    if (const std::size_t nul = text_.find('\0'); nul != std::string_view::npos) {
      fail(nul, "a NUL byte");
    }
    if (!text_.empty() && (is_space(text_.front()) || text_.front() == '#')) {
      fail(0, "expected the VG's name here, as lvm2 does");
    }
    for (skip_space(); at_ < text_.size(); skip_space()) token();
    if (depth_ > 0) {
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("the metadata text is cut short: it ends at byte {} inside {} open "
                              "section{}, the last one starts at byte {}",
                              text_.size(), depth_, depth_ == 1 ? "" : "s", last_open_));
    }
  }

 private:
  [[noreturn]] static void fail(std::size_t place, std::string_view what) {
    throw Error(ErrorKind::kCorrupt, fmt::format("metadata text, byte {}: {}", place, what));
  }

  void skip_space() noexcept {
    while (at_ < text_.size()) {
      if (text_[at_] == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (is_space(text_[at_])) {
        ++at_;
      } else {
        return;
      }
    }
  }

  void token() {
    const char c = text_[at_];
    const bool in_value = value_next_;
    value_next_ = c == '=' || c == '[' || c == ',';
    if (c == '{' || c == '}') {
      brace(c);
    } else if (value_next_ || c == ']') {
      ++at_;
    } else if (c == '"' || c == '\'') {
      string(c, in_value);
    } else if (in_value && (is_digit(c) || c == '+' || c == '-' || c == '.')) {
      number();
    } else {
      word(in_value);
    }
  }

  void brace(char c) {
    if (c == '{') {
      if (++depth_ > kMaxTextDepth) {
        fail(at_, fmt::format("sections nest deeper than {} levels", kMaxTextDepth));
      }
      last_open_ = at_;
    } else if (depth_-- == 0) {
      fail(at_, "a '}' without its '{'");
    }
    ++at_;
  }

  void string(char quote, bool in_value) {
    const std::size_t start = at_++;
    while (at_ < text_.size() && text_[at_] != quote) {
      // only "..." knows the backslash
      if (quote == '"' && text_[at_] == '\\') ++at_;
      ++at_;
    }
    if (at_ >= text_.size()) {
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("the metadata text is cut short: it ends at byte {} inside a string "
                              "that starts at byte {}",
                              text_.size(), start));
    }
    ++at_;
    if (!in_value) check_key(start);
  }

  void number() {
    const std::size_t start = at_++;
    while (at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '.')) ++at_;
    std::string_view digits = text_.substr(start, at_ - start);
    if (digits.front() == '-') digits.remove_prefix(1);
    const bool plain = !digits.empty() && is_digit(digits.front());
    const bool ends = at_ == text_.size() || is_space(text_[at_]) ||
                      std::string_view(",]}#").find(text_[at_]) != std::string_view::npos;
    // "010" would be read as 8, "0x10" as 16, "-" as 0
    if (!plain || !ends || (digits.size() > 1 && digits[0] == '0' && digits[1] != '.')) {
      fail(start,
           fmt::format("\"{}\" is not a decimal number",
                       printable(text_.substr(start, std::min(at_ + 1, text_.size()) - start))));
    }
  }

  void word(bool in_value) {
    const std::size_t start = at_;
    for (; at_ < text_.size() && !is_space(text_[at_]); ++at_) {
      const char c = text_[at_];
      if (c == '#' || c == '=' || c == '{' || c == '}') break;
      // the parser takes all of these as a part of the word
      if (c < ' ' || c > '~' || std::string_view("\"'[],").find(c) != std::string_view::npos) {
        fail(at_, fmt::format("\"{}\" inside a word", printable(text_.substr(at_, 1))));
      }
    }
    if (!in_value) check_key(start);
  }

  /// The parser makes a section of every part between slashes and descends into them recursively.
  void check_key(std::size_t start) {
    if (text_.substr(start, at_ - start).find('/') != std::string_view::npos) {
      fail(start, "a key with a '/'");
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::size_t last_open_ = 0;
  bool value_next_ = false;  ///< the last token was one that a value follows
};

}  // namespace

void check_text(std::string_view text) { Scanner(text).run(); }

}  // namespace lunfs::lvm

#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace lunfs::sr::testing {

/// Builds the text of an MGT volume as the storage manager writes it (docs/formats/mgt.md).
class MgtBuilder {
 public:
  MgtBuilder() {
    append("", 512);
    append(
        "<?xml version=\"1.0\" ?><uuid>7f3c2a10-5b1e-4d6a-9c1f-0123456789ab</uuid>"
        "<allocation>thick</allocation>",
        512);
    append("<name_label>SR &amp; label</name_label>", 512);
    append("<name_description>about it</name_description>", 512);
    set_header("XSSM:2048      :1:2");
  }

  /// A slot with these elements in its second sector.
  MgtBuilder& slot(std::string_view label, std::string_view uuid,
                   std::string_view elements = "<deleted>0</deleted>") {
    return raw_slot(fmt::format("<vdi><name_label>{}</name_label>"
                                "<name_description></name_description>",
                                label),
                    fmt::format("<uuid>{}</uuid>{}</vdi>", uuid, elements));
  }

  MgtBuilder& raw_slot(std::string_view first, std::string_view second) {
    append(first, 512);
    append(second, 512);
    return set_header(fmt::format("XSSM:{:<10}:1:2", text_.size()));
  }

  MgtBuilder& set_header(std::string_view header) { return set_sector(0, header); }

  MgtBuilder& set_sector(std::size_t index, std::string_view content, char padding = ' ') {
    std::string sector(content);
    sector.resize(512, padding);
    text_.replace(index * 512, 512, sector);
    return *this;
  }

  /// Bytes beyond the used length, as a volume has them.
  MgtBuilder& append(std::string_view content, std::size_t length) {
    text_ += content;
    text_.resize(text_.size() + length - content.size(), ' ');
    return *this;
  }

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] ConstByteSpan bytes() const { return as_byte_span(text_); }

 private:
  std::string text_;
};

}  // namespace lunfs::sr::testing

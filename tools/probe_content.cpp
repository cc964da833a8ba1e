#include "tools/probe_content.h"

#include "base/error.h"
#include "volume/sr/catalog_json.h"
#include "volume/sr/summary.h"

namespace lunfs::tools {

namespace {

const char* name_of(sr::Summary::Kind kind) noexcept {
  switch (kind) {
    case sr::Summary::Kind::kSr:
      return "sr";
    case sr::Summary::Kind::kVg:
      return "vg";
    case sr::Summary::Kind::kPv:
      return "pv";
    case sr::Summary::Kind::kUnknown:
      return "unknown";
    case sr::Summary::Kind::kEmpty:
      return "empty";
  }
  return "unknown";
}

void add_summary(const sr::Summary& summary, Json& json) {
  json["content"] = name_of(summary.kind);
  if (!summary.looks_like.empty()) json["looks_like"] = summary.looks_like;
  if (summary.uuid) {
    json["sr"] = {{"uuid", summary.uuid->text()},
                  {"label", summary.label},
                  {"description", summary.description},
                  {"allocation", summary.allocation},
                  {"vdis", summary.vdis},
                  {"pool_metadata", summary.has_pool_metadata}};
  }
  if (summary.vg) json["vg"] = sr::vg_json(*summary.vg);
  if (!summary.warnings.empty()) json["warnings"] = summary.warnings;
}

}  // namespace

Task<void> add_content(RequestContext& context, BlockDevice& lun, Reactor& reactor, Json& json) {
  try {
    const sr::Summary summary = co_await sr::summarize(context, lun, reactor);
    add_summary(summary, json);
  } catch (const Error& error) {
    const bool of_the_vg =
        error.kind() == ErrorKind::kCorrupt || error.kind() == ErrorKind::kUnsupported;
    if (!of_the_vg) throw;
    json["content"] = "damaged";
    json["error"] = error_json(error);
  }
}

}  // namespace lunfs::tools

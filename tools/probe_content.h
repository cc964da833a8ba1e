#pragma once

#include "base/block_device.h"
#include "base/reactor.h"
#include "tools/table.h"

namespace lunfs::tools {

/// Reads what is on a LUN and puts it into `json`: "content" and what belongs to it (probe.h). A VG
/// that cannot be understood is content, too. Errors: those of sr::summarize() that mean that the
/// LUN cannot be read; `json` has no "content" then.
Task<void> add_content(RequestContext& context, BlockDevice& lun, Reactor& reactor, Json& json);

}  // namespace lunfs::tools

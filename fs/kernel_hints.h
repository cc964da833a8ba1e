#pragma once

#include <string>

/// What the kernel can be told to make a mount faster. Nothing depends on it: where it is not
/// permitted, things stay as they are. Figures: docs/performance.md.
namespace lunfs::fs {

/// This thread gives way to those that it wakes (SCHED_BATCH): a program whose request was answered
/// and the target do not lose their processor, and the next batch is larger.
void schedule_as_batch() noexcept;

/// Lets the kernel read 1 MiB ahead in cached files of the mount; a daemon can ask for 128 KiB
/// only. Needs root. The mount is there.
void raise_read_ahead(const std::string& mount_point);

}  // namespace lunfs::fs

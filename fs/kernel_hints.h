#pragma once

#include <string>

/// What the kernel can be told to make a mount faster. Nothing depends on it: where it is not
/// permitted, things stay as they are. Figures: docs/performance.md.
namespace lunfs::fs {

/// This thread gives way to those that it wakes (SCHED_BATCH), and asks for longer slices of
/// processor time, which Linux 6.12 and newer grant the later: a program whose request was answered
/// and the target do not lose their processor, and the next batch is larger. The nice value stays.
void schedule_as_batch() noexcept;

/// Lets the kernel read 1 MiB ahead in cached files of the mount; a daemon can ask for 128 KiB
/// only. Needs root. The mount is there.
void raise_read_ahead(const std::string& mount_point);

}  // namespace lunfs::fs

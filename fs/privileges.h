#pragma once

namespace lunfs::fs {

/// What a process may do beyond an ordinary user is given up in two steps. Each call is for the
/// calling thread alone, as Linux has these rights for each thread, and for what it starts later;
/// it is for good. Without such rights the calls change nothing (but see give_up_all_rights).

/// Keeps what mount(2) and umount(2) on any directory take: CAP_SYS_ADMIN and CAP_DAC_READ_SEARCH.
void keep_rights_to_mount() noexcept;

/// Keeps nothing, and no program that is executed from here on gains anything: fusermount3 does not
/// work any more (PR_SET_NO_NEW_PRIVS), for an ordinary user as well.
void give_up_all_rights() noexcept;

}  // namespace lunfs::fs

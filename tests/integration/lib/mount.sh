# Mounting, and never leaving a dead or hung mount behind. Sourced by functions.sh.

log=$work/lunfs.log
# The name that mounts and tools log in with; an empty one: the host's, which would be made and stored if
# there is none.
initiator=iqn.2026-11.example:host7

# lunfs_processes_of DIR: the pids of all lunfs processes with DIR as an argument
lunfs_processes_of() {
  local cmdline pid
  for cmdline in $(grep -lzxFs -- "$1" /proc/[0-9]*/cmdline); do
    pid=${cmdline#/proc/}
    pid=${pid%/cmdline}
    if [[ $(readlink "/proc/$pid/exe" 2>/dev/null) == "$(readlink -f "$LUNFS")"* ]]; then echo "$pid"; fi
  done
}
# called PID: how it was called; empty for one that has ended meanwhile
called() { { tr '\0' '\n' <"/proc/$1/cmdline" | head -n 1; } 2>/dev/null || true; }

# daemons_of DIR: the pids of the lunfs processes that serve DIR; watchers_of DIR: of those that watch over it
daemons_of() {
  local pid
  for pid in $(lunfs_processes_of "$1"); do [[ $(called "$pid") =~ ^(lunfs-watcher)?$ ]] || echo "$pid"; done
}
watchers_of() {
  local pid
  for pid in $(lunfs_processes_of "$1"); do if [[ $(called "$pid") == lunfs-watcher ]]; then echo "$pid"; fi; done
}
no_process_of() { [[ -z $(lunfs_processes_of "$1") ]]; }
no_daemon_of() { [[ -z $(daemons_of "$1") ]]; }

# forget_other_mounts: in a mount namespace of its own a test holds copies of the mounts that others
# have at that moment; these would live on in it, and their daemons too, when they are unmounted
forget_other_mounts() {
  local dir
  for dir in $(awk '/ - fuse.lunfs / { print $5 }' /proc/self/mountinfo); do umount -cl "$dir"; done
}

# with_installed_lunfs: in a mount namespace of its own, as the package installs them: /sbin/mount.lunfs and a
# lunfs that mount.fuse3 finds; mount(8)'s own notes are kept from the system's
with_installed_lunfs() {
  grep -qw overlay /proc/filesystems || skip "needs the overlay file system, to put a mount helper beside the system's"
  [[ -x /sbin/mount.fuse3 ]] || skip "needs mount.fuse3"
  forget_other_mounts
  mkdir "$work/upper" "$work/overlay"
  mount -t overlay overlay -o "lowerdir=/usr/sbin,upperdir=$work/upper,workdir=$work/overlay" /usr/sbin
  ln -s "$LUNFS" /usr/sbin/lunfs
  ln -s "$LUNFS" /usr/sbin/mount.lunfs
  mkdir -p /run/mount
  mount -t tmpfs none /run/mount
}

is_mounted() { grep -qF " $1 " /proc/self/mountinfo; }
not_mounted() { ! is_mounted "$1"; }

# several_sessions SOURCE: the option for it, if the tests shall run with several sessions a mount
several_sessions() { [[ -z ${LUNFS_TEST_SESSIONS:-} || $1 != iscsi://* ]] || echo "sessions=$LUNFS_TEST_SESSIONS"; }
# How many a mount of a LUN has.
sessions_a_mount=${LUNFS_TEST_SESSIONS:-1}

# try_mount SOURCE DIR [ARGS...]: sets mount_status and mount_said (what it printed)
try_mount() {
  local source=$1 dir=$2
  shift 2
  requires_fuse
  [[ -x $LUNFS ]] || fail "no program at $LUNFS: build first"
  on_exit release_mount "$dir"
  echo "$dir" >>"$state/mounts"
  mount_status=0
  local sessions
  sessions=$(several_sessions "$source")
  bounded 60 "$LUNFS" "$source" "$dir" -o "log_file=$log" ${sessions:+-o "$sessions"} ${initiator:+-o "initiator=$initiator"} "$@" >"$work/mount.out" 2>&1 || mount_status=$?
  mount_said=$(cat "$work/mount.out")
  local pid
  for pid in $(daemons_of "$dir"); do note_process "$pid"; done
}

# mount_lunfs SOURCE DIR [ARGS...]: makes DIR; the mount must succeed
mount_lunfs() {
  mkdir -p "$2"
  try_mount "$@"
  ((mount_status == 0)) || fail "mount refused with status $mount_status: $mount_said"
  is_mounted "$2" || fail "lunfs returned, but $2 is no mount"
}

# refused STATUS SOURCE DIR [ARGS...]: the mount must fail with STATUS, leaving nothing behind
refused() {
  local expected=$1
  shift
  try_mount "$@"
  ((mount_status != 0)) || fail "this mount should have been refused"
  assert_equal "$expected" "$mount_status" "exit status ($mount_said)"
  not_mounted "$2" || fail "refused, but $2 is mounted"
  wait_until 5 no_daemon_of "$2" || fail "refused, but a process is left"
}

# says PATTERN...: what the refused mount printed, against extended regular expressions
says() {
  local pattern
  for pattern in "$@"; do assert_contains "$mount_said" "$pattern" "error text"; done
}

# tells WHAT CAUSE REMEDY: the refused mount printed what happened, why, and what to do, each in one
# line that matches as a whole
tells() { says "^lunfs: $1\$" "^  likely cause: $2\$" "^  what to do: $3\$"; }

# unmount DIR: like a user; the daemon must end by itself
unmount() {
  bounded 30 umount "$1" || fail "umount $1 fails"
  wait_until 30 no_daemon_of "$1" || fail "the daemon outlives its mount"
}

# end_after_loss DIR: lunfs -u, which may tell that writes were lost (1), and must end the mount
end_after_loss() {
  local status=0
  bounded 60 "$LUNFS" -u "$1" || status=$?
  ((status <= 1)) || fail "lunfs -u ends with $status"
  not_mounted "$1" || fail "$1 is still mounted"
  wait_until 30 no_daemon_of "$1" || fail "the daemon outlives its mount"
}

# remount_lunfs SOURCE DIR [ARGS...]
remount_lunfs() {
  unmount "$2"
  mount_lunfs "$@"
}

# release_mount DIR: the end of every mount. A hung daemon is killed first: whoever waits for an
# answer of it cannot be killed.
release_mount() {
  local pid
  if is_mounted "$1"; then
    bounded 20 umount "$1" 2>/dev/null
    wait_until 20 no_daemon_of "$1"
  fi
  for pid in $(daemons_of "$1"); do
    echo "$name: killing daemon $pid of $1" >&2
    kill -9 "$pid"
  done
  if is_mounted "$1"; then umount -l "$1"; fi
  return 0
}

# status_of DIR: the mount's own account of itself
status_of() { bounded 20 cat "$1/.lunfs/status.json"; }

# in_flight DIR: true while a request waits for the LUN (or for leave to write)
in_flight() { (($(status_of "$1" | jq .requests.in_flight) > 0)); }
# has_served DIR COUNT OPERATION...: true once as many of each have ended
has_served() {
  local dir=$1 count=$2 operation
  shift 2
  for operation in "$@"; do
    (($(status_of "$dir" | jq ".requests.$operation.ended") >= count)) || return 1
  done
}

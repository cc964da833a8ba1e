#!/bin/bash
# In a container that has /dev/fuse and no rights outside (a user, mount and pid namespace; no fusermount3, no /run of the
# host) it mounts, serves and unmounts, and a daemon that is killed leaves no mount. @short

. "$(dirname "$0")/lib/user.sh"

requires unshare
as_user unshare --user --map-root-user --mount --pid --fork true 2>/dev/null || skip "this kernel gives users no namespaces"
simple_vg "$work/lun.img"
give_user "$work/lun.img" "$own/lun.img"
give_user "$work/lun.img.disk" "$own/disk"

cat >"$own/inside" <<'SCRIPT'
set -eu
fail() { echo "inside: $*" >&2; exit 1; }
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
mkdir /run/dev
for node in null fuse urandom; do : >/run/dev/$node; mount --bind /dev/$node /run/dev/$node; done
mount --rbind /run/dev /dev
mount --bind /dev/null "$(command -v fusermount3)"
! fusermount3 --version >/dev/null 2>&1 || fail "fusermount3 is still there"

mounted() { grep -qF " $own/mnt " /proc/self/mountinfo; }
lunfs_runs() { grep -lzxF -- "$own/mnt" /proc/[0-9]*/cmdline >/dev/null 2>&1; }
# soon COMMAND: within 10 s
soon() {
  local i
  for ((i = 0; i < 100; i++)); do
    if "$@"; then return 0; fi
    sleep 0.1
  done
  return 1
}
no() { ! "$@"; }
begin() { timeout 60 "$LUNFS" "$own/lun.img" "$own/mnt" -o "log_file=$own/log" || fail "no mount: $(cat "$own/log")"; }

begin
timeout 30 cmp "$own/mnt/disk" "$own/disk" || fail "wrong bytes"
timeout 30 dd if=/dev/urandom of="$own/mnt/disk" bs=4k count=1 conv=notrunc status=none || fail "cannot write"
timeout 30 "$LUNFS" -u "$own/mnt" || fail "lunfs -u fails"
no mounted || fail "lunfs -u leaves the mount"
for signal in TERM KILL; do
  begin
  kill -$signal "$(grep -o '"pid": [0-9]*' "$own/mnt/.lunfs/status.json" | grep -o '[0-9]*')"
  soon no lunfs_runs || fail "SIG$signal: a process lives"
  no mounted || fail "SIG$signal: still mounted"
done
begin
timeout 30 umount "$own/mnt" || fail "umount fails"
soon no lunfs_runs || fail "umount leaves a process"
SCRIPT
as_user env own="$own" LUNFS="$LUNFS" ASAN_OPTIONS="$ASAN_OPTIONS" UBSAN_OPTIONS="$UBSAN_OPTIONS" \
  unshare --user --map-root-user --mount --pid --fork --kill-child bash "$own/inside" || fail "in the container"
no_sanitizer_report || fail "a sanitizer complains"

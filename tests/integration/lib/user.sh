# For tests of what an ordinary user can do; sourced in the place of functions.sh. Sets own, a folder
# of that user with the directory mnt in it, and LUNFS, which that user may run.

# Without udev /dev/fuse may be for root only. Such a test runs in a mount namespace of its own, where
# it puts a node as udev makes it.
if [[ $EUID == 0 && $(stat -c %a /dev/fuse) != 666 && -z ${LUNFS_OWN_NAMESPACE:-} ]]; then
  LUNFS_OWN_NAMESPACE=1 exec unshare --mount --propagation private bash "$0"
fi

. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

requires_root
requires setpriv fusermount3
[[ -u $(readlink -f "$(command -v fusermount3)") ]] || skip "fusermount3 is not setuid"
if [[ -n ${LUNFS_OWN_NAMESPACE:-} ]]; then
  forget_other_mounts
  mknod -m 666 "$work/fuse" c 10 229
  mount --bind "$work/fuse" /dev/fuse
fi

user=65534 # nobody
own=$work/own
mkdir -p "$own/mnt" "$own/run"
chmod 700 "$own/run"
cp "$LUNFS" "$own/lunfs"
LUNFS=$own/lunfs
chown -R "$user:$user" "$own"
# The sanitizers' reports need a folder that this user may write.
export ASAN_OPTIONS="log_path=$own/sanitizer" UBSAN_OPTIONS="log_path=$own/sanitizer"
no_sanitizer_report() {
  if compgen -G "$own/sanitizer*" >/dev/null; then
    cat "$own"/sanitizer* >&2
    false
  fi
}

# as_user COMMAND...: bounded, as that user, with a run directory of its own; for assertions, which want a
# program, "${like_user[@]}" COMMAND...
like_user=(setpriv --reuid="$user" --regid="$user" --clear-groups env HOME="$own" XDG_RUNTIME_DIR="$own/run")
as_user() { bounded 60 "${like_user[@]}" "$@"; }

# give_user FILE TO: a sparse copy that belongs to the user
give_user() {
  cp --sparse=always "$1" "$2"
  chown "$user:$user" "$2"
}

# mount_as_user SOURCE [ARGS...]: on $own/mnt
mount_as_user() {
  local source=$1 pid
  shift
  on_exit release_mount "$own/mnt"
  as_user "$LUNFS" "$source" "$own/mnt" -o "log_file=$own/log" "$@" || fail "the user cannot mount: $(cat "$own/log")"
  for pid in $(daemons_of "$own/mnt"); do note_process "$pid"; done
}

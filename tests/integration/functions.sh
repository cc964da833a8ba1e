# What every integration test sources first: a work folder, a clean-up stack that always runs,
# requirements, assertions; and lib/ for targets, volume groups, mounts and the fault proxy.
#
# A test is one behaviour in one file, test-<area>-<behaviour>.sh. It exits with 0 (holds),
# 77 (cannot be told here: skipped) or anything else (does not hold). Nothing it does may take
# for ever: whatever touches a mount or a server goes through bounded.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
tools=$here/tools
data=$top/tests/data
LUNFS=$(readlink -m "${LUNFS:-$top/build/release/bin/lunfs}")
name=$(basename "$0" .sh)
export LC_ALL=C.UTF-8
umask 022

# The work folder: reachable by other users (some tests become one), removed at the end.
work=$(mktemp -d "${TMPDIR:-/tmp}/lunfs-test.XXXXXX")
chmod 711 "$work"
# Where most tests mount.
mnt=$work/mnt
mkdir "$mnt"
cd "$work"
# The runner's folder, where a test that had to be killed leaves the processes it started.
state=${LUNFS_TEST_STATE:-$work}

# Sanitizers of a dev build write here; a daemon has no stderr any more. The clean-up looks.
export ASAN_OPTIONS="log_path=$work/sanitizer:abort_on_error=0:detect_leaks=1"
export UBSAN_OPTIONS="log_path=$work/sanitizer:print_stacktrace=1"

cleanup_stack=()

# on_exit COMMAND...: runs COMMAND at the end, the last registered one first, whatever happened.
on_exit() { cleanup_stack+=("$(printf '%q ' "$@")"); }

clean_up() {
  local status=$? i pid
  trap - EXIT
  trap '' INT TERM
  set +e
  for ((i = ${#cleanup_stack[@]} - 1; i >= 0; i--)); do
    eval "${cleanup_stack[i]}"
  done
  # What a failed test left running in the background would keep the folder from going.
  for pid in $(jobs -p); do kill -9 "$pid" 2>/dev/null; done
  wait
  if compgen -G "$work/sanitizer*" >/dev/null; then
    echo "$name: a sanitizer complained:" >&2
    head -n 60 "$work"/sanitizer* >&2
    status=1
  fi
  if ((status != 0 && status != 77)); then
    show_logs >&2
  fi
  rm -rf --one-file-system "$work"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

show_logs() {
  local log
  for log in "$work"/*.log; do
    [[ -s $log ]] || continue
    echo "---- ${log##*/} (last lines)"
    tail -n 25 "$log"
  done
}

# note_process PID: lets the runner end the process if this test has to be killed.
note_process() { echo "$1" >>"$state/processes"; }

# end_process PID: politely, then not; waits for it.
end_process() {
  local pid=$1 i
  kill "$pid" 2>/dev/null || return 0
  for ((i = 0; i < 50; i++)); do
    process_gone "$pid" && return 0
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null
  return 0
}

# process_gone PID: true if it ended (a zombie has ended).
process_gone() {
  local status
  status=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) || return 0
  [[ -z $status || $status == Z || $status == X ]]
}

# bounded SECONDS COMMAND...: like timeout(1), for programs only.
bounded() {
  local seconds=$1
  shift
  timeout --kill-after=5 "$seconds" "$@"
}

# wait_until SECONDS COMMAND...: polls until COMMAND succeeds; fails when the time is over.
wait_until() {
  local seconds=$1 end
  shift
  end=$((SECONDS + seconds))
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 0.1
  done
}

skip() {
  echo "$name: skipped: $*" >&2
  exit 77
}

fail() {
  echo "$name: $*" >&2
  local i
  for ((i = 1; i < ${#FUNCNAME[@]}; i++)); do
    echo "  at ${BASH_SOURCE[i]##*/}:${BASH_LINENO[i - 1]}" >&2
  done
  exit 1
}

requires() {
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null || skip "needs the program $program"
  done
}
requires_root() { ((EUID == 0)) || skip "needs root"; }
requires_fuse() { [[ -w /dev/fuse ]] || skip "needs a writable /dev/fuse"; }
requires_loop() {
  requires_root
  requires lvm losetup
  losetup --find >/dev/null 2>&1 || skip "needs loop devices"
}

# assert_equal EXPECTED FOUND WHAT
assert_equal() { [[ $1 == "$2" ]] || fail "$3: expected '$1', found '$2'"; }

# assert_less FOUND LIMIT WHAT: whole numbers
assert_less() { (($1 < $2)) || fail "$3: $1 is not less than $2"; }

# assert_contains TEXT PATTERN WHAT: PATTERN is an extended regular expression
assert_contains() { grep -qE -- "$2" <<<"$1" || fail "$3: no match for '$2' in:"$'\n'"$1"; }
assert_lacks() { ! grep -qE -- "$2" <<<"$1" || fail "$3: should not match '$2':"$'\n'"$1"; }

# assert_same_bytes FILE FILE WHAT
assert_same_bytes() { bounded 120 cmp -- "$1" "$2" >&2 || fail "$3: the bytes differ"; }

# assert_fails_with PATTERN COMMAND...: COMMAND must fail and say PATTERN.
assert_fails_with() {
  local pattern=$1 said
  shift
  if said=$(bounded 60 "$@" 2>&1); then fail "should have failed: $*"; fi
  assert_contains "$said" "$pattern" "$*"
}

sha256_of() { bounded 300 sha256sum -- "$1" | cut -d' ' -f1; }
size_of() { stat -c %s -- "$1"; }

# random_file FILE BYTES: bytes that no tool can compress or guess
random_file() { head -c "$2" /dev/urandom >"$1"; }

. "$here/lib/target.sh"
. "$here/lib/volume.sh"
. "$here/lib/mount.sh"
. "$here/lib/proxy.sh"
. "$here/lib/tool.sh"
. "$here/lib/names.sh"

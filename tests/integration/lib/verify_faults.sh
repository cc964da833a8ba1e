# fio with checksums under faults, then the whole LUN against what must be on it. Sourced by the tests
# that run it.

# verify_vg IMAGE: two volumes in pieces, others between them; what the LUN must hold is kept beside
verify_vg() {
  requires fio
  make_vg "$1" 96m plain
  local i
  for i in 1 2; do
    new_lv plain "v$i" 10
    new_lv plain "between$i" 3
  done
  for i in 1 2; do lvm2 lvextend -l +6 "plain/v$i" >/dev/null; done
  save_layout "$work/layout"
  close_lvm
  for i in 1 2; do
    random_file "$work/between" $((3 << 20))
    lv_bytes write "$work/layout" "$1" "between$i" 0 <"$work/between"
  done
  cp --sparse=always "$1" "$work/expected.img"
}

# serve_verify_vg: on $work/lun.img, behind a target without a volatile cache
serve_verify_vg() {
  verify_vg "$work/lun.img"
  serve "$work/lun.img"
  without_cache
}

# The work and its checks: what fio wrote it finds again, through whichever file it reads. What fio counted
# is in $work/fio.json.
fio_checks() { # FILE_OF_V1 FILE_OF_V2 MORE...
  local random=$1 large=$2
  shift 2
  bounded 300 fio --ioengine=libaio --direct=1 --verify=crc32c --verify_fatal=1 --verify_state_save=0 \
    --randseed=7 --end_fsync=1 --output-format=json "$@" \
    --name=random --filename="$random" --rw=randwrite --bs=4k --iodepth=32 --size=16m \
    --name=large --filename="$large" --rw=write --bs=1m --iodepth=4 --size=16m >"$work/fio.json"
}
# in milliseconds, of those of fio
slowest_call() { jq '[.jobs[] | .read.lat_ns.max, .write.lat_ns.max] | max / 1e6 | floor' "$work/fio.json"; }

# How often fio does its work, and so many faults have to come at least; the last may be when it has ended.
verify_loops=2 verify_faults=2
# The pause that a call may meet, in milliseconds; three times that is allowed. 0: the faults measure by themselves.
verify_pause=0

# verify_under IMAGE WHAT FAULT...: FAULT again and again while fio works; no caller meets an error, and every byte of the
# LUN is what it must be, as fio and lvm2 see it without lunfs
verify_under() {
  local image=$1 what=$2 job times=0 flows_after='' slowest i
  shift 2
  fio_checks "$mnt/v1" "$mnt/v2" --loops="$verify_loops" 2>"$work/fio.log" &
  job=$!
  note_process "$job"
  while ! process_gone "$job"; do
    "$@"
    ((times += 1))
  done
  wait "$job" || fail "$what: fio met an error: $(tail -n 5 "$work/fio.log")"
  ((times >= verify_faults)) || fail "$what: fio had ended before the fault came"
  slowest=$(slowest_call)
  ((verify_pause == 0)) || assert_less "$slowest" $((3 * verify_pause)) "milliseconds of the slowest call ($what)"
  for i in 1 2; do lv_bytes read "$work/layout" "$image" "v$i" >"$work/v$i.bytes"; done
  fio_checks "$work/v1.bytes" "$work/v2.bytes" --verify_only 2>"$work/fio.log" || fail "$what: the LUN does not hold what was written"
  for i in 1 2; do lv_bytes write "$work/layout" "$work/expected.img" "v$i" 0 <"$work/v$i.bytes"; done
  assert_same_bytes "$image" "$work/expected.img" "$what: beside the volumes"
  echo "$what: clean, $times times, $slowest ms the slowest call${flows_after:+, I/O flows after (ms):$flows_after}"
}

# flows_within MS START [PAUSE]: a read that begins now ends within three times MS after START (of date +%s%3N), not counting
# a PAUSE before the login that is meant to be
flows_within() {
  local took
  bounded 60 dd if="$mnt/between1" of=/dev/null bs=4k count=1 iflag=direct status=none || fail "a read fails"
  took=$(($(date +%s%3N) - $2))
  flows_after+=" $took"
  assert_less "$took" $((3 * $1 + ${3:-0})) "milliseconds until I/O flows"
}
# After a session that lived for less than 10 s; the first loss after a mount is answered without one.
longest_pause=5000
# outage_after COUNT: or the work has ended: job is verify_under's
outage_after() { (($(outages_of "$mnt") > $1)) || process_gone "$job"; }

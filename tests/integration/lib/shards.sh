# Several sessions on one mount. Sourced by the tests that run them.

shard_block=512

# shards_serve SESSIONS: a VG with a LUN of 5 LVs in pieces, mounted with so many sessions
shards_serve() {
  requires fio
  make_vg "$work/lun.img" 400m plain 1m "$shard_block"
  local i
  for i in 1 2 3 4 5; do new_lv plain "v$i" 16; done
  for i in 1 2 3 4 5; do lvm2 lvextend -l +16 "plain/v$i" >/dev/null; done
  save_layout "$work/layout"
  close_lvm
  serve "$work/lun.img" "$shard_block"
  mount_lunfs "$(lun_url)" "$mnt" -o "sessions=$1"
  assert_equal "$1" "$(sessions_of 1)" "sessions at the target"
  shards=$1
}

# every_session_worked: each of them carried commands
every_session_worked() {
  wait_until 5 told_of_all_sessions || fail "sessions in the status: $(status_of "$mnt" | jq -c .sessions)"
}
told_of_all_sessions() {
  [[ $(status_of "$mnt" | jq "[.sessions[] | select(.state == \"up\" and .commands > 200)] | length") == "$shards" ]]
}

# shards_verify SESSIONS: all patterns at once, each checked by its own checksums, then by what is on the LUN
shards_verify() {
  shards_serve "$1"
  local common=(--ioengine=libaio --direct=1 --verify=crc32c --verify_fatal=1 --do_verify=1
    --verify_state_save=0 --minimal) i
  echo "random 4k at depth 32, 64k and 1 MiB in order, four writers in one file that sync"
  bounded 280 fio "${common[@]}" \
    --name=random --filename="$mnt/v1" --rw=randwrite --bs=4k --iodepth=32 --size=32m --loops=2 \
    --name=middle --filename="$mnt/v2" --rw=write --bs=64k --iodepth=16 --size=32m --loops=3 \
    --name=large --filename="$mnt/v3" --rw=write --bs=1m --iodepth=4 --size=32m --loops=3 \
    --name=order --filename="$mnt/v4" --rw=write --bs=4k --iodepth=32 --size=32m --loops=2 \
    --name=sync --filename="$mnt/v5" --rw=randwrite --bs=4k --ioengine=psync --fsync=1 --size=1m \
    --offset_increment=8m --numjobs=4 >"$work/fio.log" || fail "fio finds errors: $(cat "$work/fio.log")"
  every_session_worked
  for i in 1 2 3 4 5; do sha256_of "$mnt/v$i" >"$work/sum$i"; done
  unmount "$mnt"
  for i in 1 2 3 4 5; do
    assert_equal "$(cat "$work/sum$i")" "$(lv_bytes sha256 "$work/layout" "$work/lun.img" "v$i")" "v$i on the LUN"
  done
  no_session_left || fail "a session is open at the target"
}

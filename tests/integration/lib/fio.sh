# fio with checksums on several files at once. Sourced by the tests that run it.

fio_block=512

# fio_verifies --direct=N [MOUNT_OPTIONS]: afterwards the bytes are also found on the extents
fio_verifies() {
  requires fio
  make_vg "$work/lun.img" 320m plain 1m "$fio_block"
  local i
  for i in 1 2 3 4 5; do new_lv plain "v$i" 8; done
  for i in 1 2 3 4 5; do lvm2 lvextend -l +8 "plain/v$i" >/dev/null; done
  save_layout "$work/layout"
  close_lvm
  serve "$work/lun.img" "$fio_block"
  mount_lunfs "$(lun_url)" "$mnt" -o "${2:-rw}"

  local common=(--ioengine=libaio --iodepth=32 --bs=4k --rw=randwrite --verify=crc32c --verify_fatal=1
    --do_verify=1 --verify_state_save=0 --group_reporting --minimal "$1")
  echo "four jobs, a file each, and four jobs in one file, all at once"
  bounded 240 fio "${common[@]}" --size=12m \
    --name=a --filename="$mnt/v1" --name=b --filename="$mnt/v2" \
    --name=c --filename="$mnt/v3" --name=d --filename="$mnt/v4" \
    --name=e --filename="$mnt/v5" --size=4m --offset_increment=4m --numjobs=4 >"$work/fio.log" ||
    fail "fio finds errors"
  for i in 1 2 3 4 5; do sha256_of "$mnt/v$i" >"$work/sum$i"; done
  unmount "$mnt"
  for i in 1 2 3 4 5; do
    assert_equal "$(cat "$work/sum$i")" "$(lv_bytes sha256 "$work/layout" "$work/lun.img" "v$i")" "v$i on the LUN"
  done
}

#!/bin/bash
# QEMU's image locks hold: a second machine on the same VDI is refused, as on a plain file beside it. @alone

. "$(dirname "$0")/functions.sh"

requires qemu-system-x86_64
simple_vg "$work/lun.img"
truncate -s 16m "$work/plain"
mount_lunfs "$work/lun.img" "$mnt"

# machine FILE: a paused QEMU with FILE as its disk, the monitor on its standard input
machine() {
  qemu-system-x86_64 -machine microvm -accel tcg -nodefaults -display none -S -monitor stdio \
    -blockdev "driver=file,node-name=f,filename=$1,locking=on" -blockdev driver=raw,node-name=d,file=f \
    -device virtio-blk-device,drive=d
}
for file in "$work/plain" "$mnt/disk"; do
  coproc first { machine "$file" 2>&1; }
  first_pid=$first_PID
  note_process "$first_pid"
  on_exit end_process "$first_pid"
  read -r -t 30 -u "${first[0]}" greeting || fail "the first machine does not start"
  assert_contains "$greeting" 'QEMU' "$file, the first machine"
  said=$(bounded 30 bash -c "$(declare -f machine); echo quit | machine '$file'" 2>&1 || true)
  assert_contains "$said" 'Failed to get .* lock' "$file, the second machine"
  echo quit >&"${first[1]}"
  wait "$first_pid" || true
done

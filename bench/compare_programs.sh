# The programs that bench/compare runs side by side. Sourced by it.
#
# start_programs fills, by program: disk_of and segments_of (the file to work on; for iscsi-perf the
# LUN's URL) and pids_of (who serves it, apart by commas). Everything ends with the script.

declare -A disk_of segments_of pids_of

# tune_target TID: what tgtd could do better than by its defaults; before the first login
tune_target() {
  local setting
  for setting in MaxRecvDataSegmentLength=262144 InitialR2T=No FirstBurstLength=262144 MaxBurstLength=1048576; do
    tgt --op update --mode target --tid "$1" --name "${setting%=*}" --value "${setting#*=}"
  done
}

# start_programs IQN: sets programs, in their order
start_programs() {
  local target=$1 i
  # Where the disk lies on the first LUN, in one piece: for programs that know nothing of LVM.
  disk_start=$(lv_bytes where "$work/lun0.layout" disk 0)
  disk_bytes=$((mib << 20))
  assert_equal $((disk_start + disk_bytes - 1)) "$(lv_bytes where "$work/lun0.layout" disk $((disk_bytes - 1)))" \
    "the disk is in one piece"
  programs=()
  for ((i = 0; i < ${#builds[@]}; i++)); do
    iqn=$target start_build "${builds[i]}" $((i + 1))
  done
  start_qsd "$target"
  start_nbdfuse "$target"
  programs+=(qsd nbdfuse iscsi-perf)
  disk_of[iscsi-perf]=$(iqn=$target lun_url 1)
  pids_of[iscsi-perf]=''
}

stop_programs() {
  local build
  for build in "${builds[@]}"; do
    LUNFS=$(program_of "$build") unmount "$work/${build%%=*}"
  done
  end_process "${pids_of[qsd]}"
  wait_until 10 not_mounted "$work/qsd.raw" || fail "qemu-storage-daemon leaves its mount"
  release_nbdfuse "${pids_of[nbdfuse]}"
}

# A build is LABEL=PROGRAM[:OPTIONS].
program_of() {
  local program=${1#*=}
  echo "${program%%:*}"
}

# start_build BUILD LUN: in the foreground, as the others are. A daemon would have a session of its
# own, which Linux schedules as a group beside theirs (sched_autogroup_enabled).
start_build() {
  local label=${1%%=*} options=rw program
  program=$(program_of "$1")
  if [[ $1 == *:* ]]; then options=${1##*:}; fi
  mkdir -p "$work/$label"
  echo "$work/$label" >>"$state/mounts"
  on_exit release_build "$program" "$work/$label"
  "$program" -f "$(lun_url "$2")" "$work/$label" -o "initiator=$initiator,$options" >"$work/$label.log" 2>&1 &
  note_process $!
  wait_until 20 is_mounted "$work/$label" || fail "$label does not mount: $(cat "$work/$label.log")"
  disk_of[$label]=$work/$label/disk
  segments_of[$label]=$work/$label/segments
  pids_of[$label]=$(LUNFS=$program daemons_of "$work/$label" | paste -sd,)
  programs+=("$label")
}
release_build() { LUNFS=$1 release_mount "$2"; }

# start_qsd IQN: QEMU's own FUSE export. It gives wrong bytes when several requests are in flight:
# its speed can be told, its content is never looked at.
start_qsd() {
  local file=$work/qsd.raw
  : >"$file"
  echo "$file" >>"$state/mounts"
  qemu-storage-daemon \
    --blockdev "driver=iscsi,node-name=lun,transport=tcp,portal=127.0.0.1:$tgt_port,target=$1,lun=1,cache.direct=on" \
    --blockdev "driver=raw,node-name=disk,offset=$disk_start,size=$disk_bytes,file=lun" \
    --export "type=fuse,id=disk,node-name=disk,mountpoint=$file,writable=on" >"$work/qsd.log" 2>&1 &
  pids_of[qsd]=$!
  note_process $!
  on_exit release_qsd $!
  wait_until 20 is_mounted "$file" || fail "qemu-storage-daemon does not export"
  disk_of[qsd]=$file
  segments_of[qsd]=$file
}
release_qsd() {
  end_process "$1"
  if is_mounted "$work/qsd.raw"; then umount -l "$work/qsd.raw"; fi
}

# start_nbdfuse IQN: nbdfuse over qemu-nbd
start_nbdfuse() {
  local folder=$work/nbdfuse socket=$work/nbd.socket nbd
  mkdir -p "$folder"
  echo "$folder" >>"$state/mounts"
  qemu-nbd --persistent --socket "$socket" --shared 8 --cache none --image-opts \
    "driver=raw,offset=$disk_start,size=$disk_bytes,file.driver=iscsi,file.transport=tcp,file.portal=127.0.0.1:$tgt_port,file.target=$1,file.lun=1" \
    >"$work/qemu-nbd.log" 2>&1 &
  nbd=$!
  note_process $nbd
  on_exit end_process $nbd
  wait_until 20 test -S "$socket" || fail "qemu-nbd does not start"
  nbdfuse "$folder/disk" "nbd+unix:///?socket=$socket" >"$work/nbdfuse.log" 2>&1 &
  pids_of[nbdfuse]=$!,$nbd
  note_process $!
  on_exit release_nbdfuse $!,$nbd
  wait_until 20 is_mounted "$folder" || fail "nbdfuse does not mount"
  disk_of[nbdfuse]=$folder/disk
  segments_of[nbdfuse]=$folder/disk
}
release_nbdfuse() {
  if is_mounted "$work/nbdfuse"; then bounded 10 umount "$work/nbdfuse"; fi
  end_process "${1%,*}"
  end_process "${1#*,}"
  if is_mounted "$work/nbdfuse"; then umount -l "$work/nbdfuse"; fi
  rm -f "$work/nbd.socket"
}

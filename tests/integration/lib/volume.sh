# Volume groups made and read by the real lvm2, through loop devices and without device-mapper;
# and the bytes of an LV where lvm2 says that they are. Sourced by functions.sh.

# open_lvm IMAGE [SECTOR_SIZE]: from here on lvm2 works on IMAGE ($lvm_device) until close_lvm.
open_lvm() {
  requires_loop
  mkdir -p "$work/lvm/lock"
  lvm_device=$(loop_attach "$1" "${2:-512}")
  on_exit detach_quietly "$lvm_device"
}

loop_attach() {
  local device attempt
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    if device=$(losetup --find --show --sector-size "$2" "$1" 2>>"$work/losetup.log"); then
      echo "$device"
      return 0
    fi
    # In a container the kernel's new loop device may have no node yet.
    device=$(losetup --find 2>/dev/null || true)
    if [[ -n $device && ! -e $device ]]; then mknod "$device" b 7 "${device#/dev/loop}" || true; fi
    sleep 0.2
  done
  fail "no loop device for $1: $(cat "$work/losetup.log")"
}

detach_quietly() { [[ $(losetup -nO BACK-FILE "$1" 2>/dev/null) == "$work"/* ]] && losetup -d "$1"; return 0; }

close_lvm() {
  losetup -d "$lvm_device"
  # Detaching is over when the kernel says so; until then its cache may not be on the image.
  wait_until 10 loop_is_free "$lvm_device" || fail "$lvm_device stays attached"
}
loop_is_free() { [[ -z $(losetup -nO BACK-FILE "$1" 2>/dev/null) ]]; }

# lvm2 COMMAND ARGS...: one command of the real lvm2 on the open image; what it prints that is
# no complaint about the missing device-mapper comes through.
lvm2() {
  local command=$1
  shift
  local config="devices{filter=[\"a|^$lvm_device\$|\",\"r|.*|\"] use_devicesfile=0 obtain_device_list_from_udev=0}"
  config+=" global{locking_dir=\"$work/lvm/lock\" event_activation=0}"
  config+=" activation{udev_sync=0 udev_rules=0 monitoring=0} backup{backup=0 archive=0}"
  DM_DISABLE_UDEV=1 LVM_SUPPRESS_FD_WARNINGS=1 LVM_SYSTEM_DIR=$work/lvm \
    bounded 60 lvm "$command" --driverloaded n --config "$config" "$@" 2>"$work/lvm.err" >"$work/lvm.out" ||
    fail "lvm $command $*: $(cat "$work/lvm.err")"
  cat "$work/lvm.out"
}

# make_vg IMAGE SIZE VG [EXTENT] [SECTOR_SIZE]: a sparse image with an empty VG, left open for new_lv
make_vg() {
  truncate -s "$2" "$1"
  open_lvm "$1" "${5:-512}"
  lvm2 vgcreate -y -s "${4:-1m}" "$3" "$lvm_device" >/dev/null
}

# make_sr IMAGE SIZE [UUID]: the same as a XenServer SR names and sizes it; sets sr_uuid and vg
make_sr() {
  sr_uuid=${3:-$(new_uuid)}
  vg=VG_XenStorage-$sr_uuid
  truncate -s "$2" "$1"
  open_lvm "$1"
  lvm2 vgcreate -y --metadatasize 10m "$vg" "$lvm_device" >/dev/null
}

new_uuid() { cat /proc/sys/kernel/random/uuid; }

# new_lv VG NAME EXTENTS [PE_RANGE...]
new_lv() {
  local vg=$1 lv=$2 extents=$3
  shift 3
  lvm2 lvcreate -an -Zn -Wn -y -n "$lv" -l "$extents" "$vg" "${@/#/$lvm_device:}" >/dev/null
}

# random_volumes VG COUNT SEED: COUNT volumes v1, v2, ... in several segments between holes
random_volumes() {
  local i
  RANDOM=$3
  echo "random layout, seed $3"
  for ((i = 1; i <= $2; i++)); do
    new_lv "$1" "v$i" $((1 + RANDOM % 5))
    new_lv "$1" "filler$i" $((1 + RANDOM % 3))
  done
  for ((i = 1; i <= $2; i++)); do
    if ((RANDOM % 3)); then lvm2 lvremove -f -y "$1/filler$i" >/dev/null; fi
  done
  for ((i = 1; i <= 2 * $2; i++)); do
    lvm2 lvextend -l "+$((1 + RANDOM % 4))" "$1/v$((1 + RANDOM % $2))" >/dev/null
  done
}

# edit_vg VG COMMAND...: lets COMMAND rewrite the VG's description (file as last argument), which
# lvm2 then takes as its own. For what its command line does not make on one PV.
edit_vg() {
  local vg=$1
  shift
  lvm2 vgcfgbackup -f "$work/vg.conf" "$vg" >/dev/null
  "$@" "$work/vg.conf"
  lvm2 vgcfgrestore -f "$work/vg.conf" "$vg" >/dev/null
}

# layout_of IMAGE FILE [SECTOR_SIZE]: what lvm2 says of every segment, for lv_bytes
layout_of() {
  open_lvm "$1" "${3:-512}"
  save_layout "$2"
  close_lvm
}
# save_layout FILE: the same for the image that is open
save_layout() {
  local fields=lv_name,lv_size,segtype,stripes,stripe_size,seg_start_pe,seg_size_pe,seg_pe_ranges,vg_extent_size
  lvm2 lvs -a --segments --reportformat json --units b --nosuffix -o "$fields" >"$1.lvs"
  lvm2 pvs --reportformat json --units b --nosuffix -o pe_start >"$1.pvs"
  jq -s '{segments: .[0].report[0].seg, pe_start: .[1].report[0].pv[0].pe_start}' "$1.lvs" "$1.pvs" >"$1"
}

# lv_bytes COMMAND LAYOUT IMAGE LV ...: sha256, read, write, size (tools/lv_bytes.py)
lv_bytes() { bounded 120 python3 "$tools/lv_bytes.py" "$@"; }

# unpack FILE.xz TO: sparse
unpack() { xz -dc "$1" | cp --sparse=always /dev/stdin "$2"; }

# simple_vg IMAGE [SECTOR_SIZE] [NAME]: VG NAME (default plain) with the LVs disk (16 MiB in two
# segments) and other (8 MiB), both full of random bytes; layout in IMAGE.layout, disk's bytes also
# in IMAGE.disk
simple_vg() {
  local vg=${3:-plain}
  make_vg "$1" 96m "$vg" 1m "${2:-512}"
  new_lv "$vg" disk 10
  new_lv "$vg" other 8
  lvm2 lvextend -l +6 "$vg/disk" >/dev/null
  save_layout "$1.layout"
  close_lvm
  random_file "$1.disk" $((16 << 20))
  lv_bytes write "$1.layout" "$1" disk 0 <"$1.disk"
  random_file "$work/other" $((8 << 20))
  lv_bytes write "$1.layout" "$1" other 0 <"$work/other"
}

# simple_sr IMAGE: a XenServer SR with names: $disk_uuid (16 MiB, two segments) and $other_uuid
# (8 MiB); layout in IMAGE.layout, disk's bytes also in IMAGE.disk
simple_sr() {
  make_sr "$1" 128m
  disk_uuid=$(new_uuid)
  other_uuid=$(new_uuid)
  new_lv "$vg" MGT 1
  new_lv "$vg" "LV-$disk_uuid" 2
  new_lv "$vg" "LV-$other_uuid" 2
  lvm2 lvextend -l +2 "$vg/LV-$disk_uuid" >/dev/null
  save_layout "$1.layout"
  close_lvm
  python3 "$tools/make_mgt.py" "$sr_uuid" "test storage" "$disk_uuid=web & db" "$other_uuid=spare" |
    lv_bytes write "$1.layout" "$1" MGT 0
  random_file "$1.disk" $((16 << 20))
  lv_bytes write "$1.layout" "$1" "LV-$disk_uuid" 0 <"$1.disk"
}

# SRs with VHD disks, made by tools/make_vhd.py in LVs that the real lvm2 makes. Sourced by the tests
# of VHD reading.

lun=$work/lun.img
layout=$lun.layout

# vhd LV COMMAND ...: tools/make_vhd.py on the LV
vhd() { bounded 120 python3 "$tools/make_vhd.py" "$layout" "$lun" "$@"; }

# new_sr SIZE: an SR without LVs, open for lvm2
new_sr() { make_sr "$lun" "$1"; }

# add_lv LV MIB: with the VG open; several calls in a row mix the segments of what they make
add_lv() { lvm2 lvcreate -an -Zn -Wn -y -n "$1" -L "${2}m" "$vg" >/dev/null; }

# scatter LV MIB...: makes each of the LVs in turns of at most 8 MiB, so that all are in several segments
scatter() {
  local -A left=()
  local order=() lv piece more=1
  while (($# > 0)); do
    order+=("$1")
    left[$1]=$2
    shift 2
  done
  while ((more)); do
    more=0
    for lv in "${order[@]}"; do
      piece=$((left[$lv] < 8 ? left[$lv] : 8))
      ((piece > 0)) || continue
      if lvm2 lvs --noheadings -o lv_name "$vg" | grep -qw -- "$lv"; then
        lvm2 lvextend -L "+${piece}m" "$vg/$lv" >/dev/null
      else
        add_lv "$lv" "$piece"
      fi
      left[$lv]=$((left[$lv] - piece))
      more=1
    done
  done
}

# new_layout: what lvm2 says now; with the VG open
new_layout() { save_layout "$layout"; }

# not_shown LV: the reason of status.json; nothing if it is not there
not_shown() { status_of "$mnt" | jq -r --arg lv "$1" '.not_shown[] | select(.lv == $lv) | .reason'; }

# write_at FILE OFFSET SOURCE: into a plain file, the model of a disk
write_at() { dd if="$3" of="$1" bs=512 seek=$(($2 / 512)) conv=notrunc status=none; }

#!/bin/bash
# VHDs that QEMU makes (dynamic, fixed, with exact size, converted) show in an LV what QEMU shows in their file. @timeout=240

. "$(dirname "$0")/functions.sh"
. "$here/lib/vhd.sh"

requires qemu-img qemu-io
seed=${LUNFS_TEST_SEED:-$RANDOM}
echo "patterns of seed $seed"

# write_patterns IMAGE MODEL: the same random runs into both; MODEL is a plain file
write_patterns() {
  bounded 120 python3 - "$1" "$2" "$seed" <<'PYTHON'
import os, random, subprocess, sys
image, model, seed = sys.argv[1:]
size, chance, commands = os.path.getsize(model), random.Random(int(seed)), []
with open(model, "r+b") as file:
    for _ in range(60):
        length = chance.choice((1, 3, 40, 500, 5000)) * 512
        offset = chance.randrange(0, size - length, 512)
        letter = chance.randrange(1, 255)
        commands += ["-c", f"write -q -P {letter} {offset} {length}"]
        file.seek(offset)
        file.write(bytes([letter]) * length)
subprocess.run(["qemu-io", "-f", "vpc", *commands, image], check=True)
PYTHON
}

# image NAME SIZE OPTIONS...: by qemu-img create, with patterns; what QEMU reads of it in NAME.raw
declare -A uuid_of
image() {
  local name=$1 size=$2
  shift 2
  bounded 30 qemu-img create -q -f vpc "$@" "$work/$name.vhd" "$size"
  bounded 30 qemu-img convert -f vpc -O raw "$work/$name.vhd" "$work/$name.model"
  truncate -s "$(qemu-img info --output=json -f vpc "$work/$name.vhd" | jq '."virtual-size"')" "$work/$name.model"
  write_patterns "$work/$name.vhd" "$work/$name.model"
  bounded 60 qemu-img convert -f vpc -O raw "$work/$name.vhd" "$work/$name.raw"
  assert_same_bytes "$work/$name.raw" "$work/$name.model" "QEMU's view of $name"
}
image dynamic 11m
image dynamic_forced $((9 * 1024 * 1024 + 512)) -o force_size=on
image fixed 7m -o subformat=fixed
image fixed_forced $((5 * 1024 * 1024 + 1536)) -o subformat=fixed,force_size=on
bounded 60 qemu-img convert -f raw -O vpc -o force_size=on "$work/dynamic.model" "$work/converted.vhd"
bounded 60 qemu-img convert -f vpc -O raw "$work/converted.vhd" "$work/converted.raw"
names="dynamic dynamic_forced fixed fixed_forced converted"

# put_images EXTENT SLACK: each image in an LV of its own that is larger by SLACK bytes, full of old data
put_images() {
  local name bytes
  rm -f "$lun"
  truncate -s 320m "$lun"
  open_lvm "$lun"
  sr_uuid=$(new_uuid)
  vg=VG_XenStorage-$sr_uuid
  lvm2 vgcreate -y -s "$1" "$vg" "$lvm_device" >/dev/null
  for name in $names; do
    uuid_of[$name]=$(new_uuid)
    bytes=$(($(size_of "$work/$name.vhd") + $2))
    lvm2 lvcreate -an -Zn -Wn -y -n "VHD-${uuid_of[$name]}" -L "${bytes}b" "$vg" >/dev/null
  done
  new_layout
  close_lvm
  for name in $names; do
    bytes=$(lv_bytes size "$layout" "VHD-${uuid_of[$name]}")
    head -c "$bytes" /dev/zero | tr '\0' '\345' >"$work/lv"
    dd if="$work/$name.vhd" of="$work/lv" bs=1M conv=notrunc status=none
    lv_bytes write "$layout" "$lun" "VHD-${uuid_of[$name]}" 0 <"$work/lv"
  done
}

check_images() {
  local name
  mount_lunfs "$lun" "$mnt"
  for name in $names; do
    [[ -e $mnt/${uuid_of[$name]}.raw ]] || fail "$1: $name is not shown: $(not_shown "VHD-${uuid_of[$name]}")"
    assert_equal "$(size_of "$work/$name.raw")" "$(size_of "$mnt/${uuid_of[$name]}.raw")" "$1: size of $name"
    assert_same_bytes "$mnt/${uuid_of[$name]}.raw" "$work/$name.raw" "$1: $name"
  done
  unmount "$mnt"
}
put_images 512b 0
for name in $names; do
  assert_equal "$(size_of "$work/$name.vhd")" "$(lv_bytes size "$layout" "VHD-${uuid_of[$name]}")" "LV of exact size"
done
check_images "exact LV"
put_images 4m 512
check_images "larger LV"

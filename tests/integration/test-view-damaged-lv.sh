#!/bin/bash
# A damaged LV, one of unknown type and one beyond the PV cost themselves alone; status.json says why. @short

. "$(dirname "$0")/functions.sh"

make_vg "$work/lun.img" 96m plain
for lv in good odd beyond gap; do new_lv plain "$lv" 4; done
save_layout "$work/layout"
close_lvm
random_file "$work/good" $((4 << 20))
lv_bytes write "$work/layout" "$work/lun.img" good 0 <"$work/good"
python3 - "$work/lun.img" "$tools" <<'PYTHON'
import re, subprocess, sys
image, tools = sys.argv[1:]
def damage(old, new): subprocess.run([sys.executable, tools + "/damage.py", "text", image, old, new], check=True)
text = open(image, "rb").read(1 << 20)
def block(lv): return re.findall(rb"\n" + lv + rb" \{\n.*?\n\}\n\}\n", text, re.S)[-1].decode()
odd, beyond, gap = block(b"odd"), block(b"beyond"), block(b"gap")
damage(odd, odd.replace('type = "striped"', 'type = "frobnicate"'))
damage(beyond, beyond.replace('"pv0", 8', '"pv0", 5000'))
damage(gap, gap.replace("start_extent = 0", "start_extent = 1"))
PYTHON
serve "$work/lun.img"
mount_lunfs "$(lun_url)" "$mnt"
assert_equal good "$(ls -A "$mnt")" "listing"
assert_same_bytes "$mnt/good" "$work/good" "the LV in order"
for lv in odd beyond gap; do
  status_of "$mnt" | jq -e --arg lv "$lv" 'any(.not_shown[]; .lv == $lv and (.reason | length > 5))' >/dev/null ||
    fail "status.json does not say why $lv is missing: $(status_of "$mnt")"
done
assert_contains "$(status_of "$mnt")" frobnicate "the reason names the unknown type"
assert_contains "$(cat "$log" "$work/mount.out")" '3 ' "the count of what is not shown"

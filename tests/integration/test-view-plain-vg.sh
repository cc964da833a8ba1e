#!/bin/bash
# A plain VG shows each visible, plainly mapped LV under its own name, with its size; nothing else. @short

. "$(dirname "$0")/functions.sh"

make_vg "$work/lun.img" 96m plain
for lv in disk with.dots+plus-dash_under v-1; do new_lv plain "$lv" 4; done
lvm2 lvextend -l +3 plain/disk >/dev/null
edit_vg plain python3 "$tools/add_striped_lv.py" striped 128 2 40,50
# A hidden LV: without VISIBLE in its status.
new_lv plain hidden 2
edit_vg plain python3 -c 'import re, sys
path = sys.argv[1]; text = open(path).read()
text, count = re.subn(r"(hidden \{[^}]*?\"WRITE\"), \"VISIBLE\"", r"\1", text); assert count == 1
open(path, "w").write(text)'
lvm2 lvs --noheadings --nosuffix --units b -o lv_name,lv_size | awk '{print $1, $2}' | sort >"$work/expected"
close_lvm
serve "$work/lun.img"
mount_lunfs "$(lun_url)" "$mnt"

stat -c '%n %s' "$mnt"/* | sed "s#^$mnt/##" | sort >"$work/found"
diff "$work/expected" "$work/found" || fail "the listing is not what lvs says"
for file in "$mnt"/*; do
  assert_equal "regular file" "$(stat -c %F "$file")" "$file"
  assert_equal $((1 << 20)) "$(stat -c %o "$file")" "st_blksize of $file"
done

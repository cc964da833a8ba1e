#!/bin/bash
# A script that knows the three documents of xe sr-probe finds its SR in those of lunfs-sr probe --xml. @short

. "$(dirname "$0")/functions.sh"

unpack "$data/xenserver/sr-sample.img.xz" "$work/sr.img"
sample=$data/xenserver/sr-sample.json
truncate -s 8m "$work/empty.img"
start_tgtd
new_target 1 iqn.2026-11.example:pool
new_lun 1 1 "$work/sr.img"
new_lun 1 2 "$work/empty.img"
new_target 2 iqn.2026-11.example:other
new_lun 2 1 "$work/empty.img"

# fields: "Name=text ..." for each element below the root of the document that the tool printed
fields() {
  python3 - "$work/tool.out" <<'PYTHON'
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
print(root.tag)
for entry in root:
    print(entry.tag, " ".join(f"{field.tag}={field.text.strip()}" for field in entry))
PYTHON
}

probe --xml
assert_equal "iscsi-target-iqns
TGT Index=0 IPAddress=127.0.0.1 Port=$tgt_port TargetIQN=iqn.2026-11.example:other
TGT Index=1 IPAddress=127.0.0.1 Port=$tgt_port TargetIQN=iqn.2026-11.example:pool
TGT Index=2 IPAddress=127.0.0.1 Port=$tgt_port TargetIQN=*" "$(fields)" "the targets"

probe --xml --target iqn.2026-11.example:pool
found=$(fields)
assert_equal iscsi-target "$(head -n 1 <<<"$found")" "root of the LUNs"
scsi_id=$(sed -n 's/^LUN vendor=IET serial=[^ ]* LUNid=1 size=[0-9]* SCSIid=\([0-9a-f]*\)$/\1/p' <<<"$found")
[[ $scsi_id == 3* ]] || fail "no SCSIid of LUN 1: $found"
assert_contains "$found" "^LUN .* LUNid=2 size=$((8 << 20)) " "LUN 2"

probe --xml --target iqn.2026-11.example:pool --scsi-id "$scsi_id"
vg_bytes=$(open_lvm "$work/sr.img" && lvm2 vgs --noheadings --units b --nosuffix -o vg_size | tr -d ' ' && close_lvm)
assert_equal "SRlist
SR UUID=$(jq -r .sr "$sample") Devlist=iscsi://127.0.0.1:$tgt_port/iqn.2026-11.example:pool/1 size=$vg_bytes name_label=Held & out name_description=Pool storage pool_metadata_detected=false" "$(fields)" "the SR"

# A LUN that is free is an empty list.
probe --xml --target iqn.2026-11.example:pool --lun 2
assert_equal SRlist "$(fields)" "the SRs of an empty LUN"

#!/bin/bash
# A VG with a second PV is refused, the missing one named: an SR never spans LUNs.

. "$(dirname "$0")/functions.sh"

truncate -s 64m "$work/first" "$work/second"
open_lvm "$work/first"
first=$lvm_device
second=$(loop_attach "$work/second" 512)
on_exit detach_quietly "$second"
lvm_device="$first\$|^$second"
lvm2 vgcreate -y -s 1m wide "$first" "$second" >/dev/null
missing=$(lvm2 pvs --noheadings -o pv_uuid "$second" | tr -d ' ')
refused 27 "$work/first" "$mnt"
tells "VG wide: the VG lies on 2 PVs and this LUN holds only [^ ]+; missing: $missing( \(last seen as .*\))?" \
  'lunfs reads VGs that lie on one LUN; a XenServer SR always does' \
  'move the LVs to one PV with pvmove\(8\) and vgreduce\(8\), or mount the VG with lvm2'

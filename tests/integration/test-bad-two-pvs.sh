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
refused 1 "$work/first" "$mnt"
in_three_parts
says "$missing" 'wide'

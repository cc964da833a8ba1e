#!/bin/bash
# A LUN without a PV label is refused; what is on it stays. @short

. "$(dirname "$0")/functions.sh"

random_file "$work/lun.img" $((8 << 20))
before=$(sha256_of "$work/lun.img")
serve "$work/lun.img"
refused 21 "$(lun_url)" "$mnt"
in_three_parts
says 'LABELONE|no PV|not a PV|no LVM'
refused 21 "$work/lun.img" "$mnt"
says 'LABELONE|no PV|not a PV|no LVM'
assert_equal "$before" "$(sha256_of "$work/lun.img")" "the LUN's bytes"

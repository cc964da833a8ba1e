#!/bin/bash
# A LUN without a PV label is refused; what is on it stays. @short

. "$(dirname "$0")/functions.sh"

says_no_pv() {
  tells 'not a PV: no LVM label in sectors 0 to 3' \
    'it was never made a PV, or its first sectors were overwritten' \
    'check with pvck\(8\) that this is the right LUN'
}

random_file "$work/lun.img" $((8 << 20))
before=$(sha256_of "$work/lun.img")
serve "$work/lun.img"
refused 21 "$(lun_url)" "$mnt"
says_no_pv
refused 21 "$work/lun.img" "$mnt"
says_no_pv
assert_equal "$before" "$(sha256_of "$work/lun.img")" "the LUN's bytes"

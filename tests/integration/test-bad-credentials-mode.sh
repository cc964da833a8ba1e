#!/bin/bash
# A credentials file that others may read is refused before anything is sent. @short

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
chap_account 1 alice secret-of-alice
write_credentials "$work/credentials" default username=alice password=secret-of-alice
for mode in 0640 0604 0660; do
  chmod "$mode" "$work/credentials"
  refused 13 "$(lun_url)" "$mnt" -o "credentials=$work/credentials"
  tells "$work/credentials: mode $mode, but 0600 or 0400 is needed" \
    'others could read or change the secrets in it' "chmod 600 $work/credentials"
done

#!/bin/bash
# A user that the target does not know: refused, naming the user.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
chap_account 1 alice secret-of-alice
write_credentials "$work/credentials" default username=bob password=secret-of-alice

refused 24 "$(lun_url)" "$mnt" -o "credentials=$work/credentials"
in_three_parts
says 'bob' 'one-way'

echo "the URL names another user than the file:"
refused 7 "$(lun_url 1 carol)" "$mnt" -o "credentials=$work/credentials"
says 'carol' 'bob'

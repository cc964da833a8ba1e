#!/bin/bash
# A target that never proves itself is refused where mutual CHAP is asked for: one that does only one-way CHAP, and one that skips the security stage.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
write_credentials "$work/credentials" default username=alice password=secret-of-alice \
  username_in=array password_in=secret-of-array

echo "a target without any CHAP:"
refused 24 "$(lun_url)" "$mnt" -o "credentials=$work/credentials"
in_three_parts
says 'mutual'

echo "a target with one-way CHAP:"
chap_account 1 alice secret-of-alice
refused 24 "$(lun_url)" "$mnt" -o "credentials=$work/credentials"
in_three_parts
says 'mutual'

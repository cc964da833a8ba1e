#!/bin/bash
# No secret stands in a process list, an environment, a log, a mount table, status.json or an error text. @short

. "$(dirname "$0")/functions.sh"

secret=unmistakable-$RANDOM-$RANDOM
simple_vg "$work/lun.img"
serve "$work/lun.img"
chap_account 1 alice "$secret"
chap_account 1 array "in-$secret" --outgoing
write_credentials "$work/credentials" default username=alice "password=$secret" \
  username_in=array "password_in=in-$secret"

mount_lunfs "$(lun_url)" "$mnt" -o "credentials=$work/credentials,log=debug"
pid=$(daemons_of "$mnt")
for place in "/proc/$pid/cmdline" "/proc/$pid/environ" /proc/self/mountinfo "$log" \
  "$mnt/.lunfs/status.json" "$mnt/.lunfs/metrics" "$work/mount.out"; do
  if bounded 10 grep -qaF -- "$secret" "$place"; then fail "the secret stands in $place"; fi
done
[[ -s $log ]] || fail "no log to look into"
unmount "$mnt"

write_credentials "$work/credentials" default username=alice "password=x$secret"
refused 24 "$(lun_url)" "$mnt" -o "credentials=$work/credentials,log=debug"
if grep -qF -- "$secret" "$work/mount.out" "$log"; then fail "the secret stands in a text of the refused login"; fi

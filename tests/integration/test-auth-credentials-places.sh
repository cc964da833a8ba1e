#!/bin/bash
# Without credentials= the file is found where systemd or the user keeps it, and chosen by portal.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
chap_account 1 alice secret-of-alice
mkdir -p "$work/systemd" "$work/config/lunfs"

write_credentials "$work/systemd/lunfs" "127.0.0.1:$tgt_port" username=alice password=secret-of-alice
CREDENTIALS_DIRECTORY=$work/systemd mount_lunfs "$(lun_url)" "$mnt"
unmount "$mnt"

write_credentials "$work/config/lunfs/credentials" "127.0.0.1" username=alice password=secret-of-alice
XDG_CONFIG_HOME=$work/config mount_lunfs "$(lun_url)" "$mnt"

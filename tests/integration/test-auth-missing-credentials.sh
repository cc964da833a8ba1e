#!/bin/bash
# CHAP is asked for and no credentials are there: the text names the places searched.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
chap_account 1 alice secret-of-alice
export XDG_CONFIG_HOME=$work/config

refused 24 "$(lun_url)" "$mnt" -o initiator=iqn.2026-11.example:host7
tells "login to $iqn at 127.0.0.1:$tgt_port without CHAP was refused: authentication failure \(0x0201\)" \
  'the target asks for CHAP and no credentials were found' \
  "put username and password into section \[$iqn\] of a credentials file \(credentials: none in $work/config/lunfs/credentials, /etc/lunfs/credentials\); allow initiator iqn.2026-11.example:host7 in the array's access list"

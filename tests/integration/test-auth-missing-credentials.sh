#!/bin/bash
# CHAP is asked for and no credentials are there: the text names the places searched.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
chap_account 1 alice secret-of-alice
export XDG_CONFIG_HOME=$work/config

refused 24 "$(lun_url)" "$mnt"
in_three_parts
says "$work/config/lunfs/credentials" '/etc/lunfs/credentials' 'no CHAP|without CHAP|none was offered'

#!/bin/bash
# An unknown option and a bad value are refused by name. @short

. "$(dirname "$0")/functions.sh"

truncate -s 1m "$work/lun.img"
refused 7 "$work/lun.img" "$mnt" -o sesions=2
says "unknown option 'sesions'" 'what to do'
refused 7 "$work/lun.img" "$mnt" -o cache=maybe
says 'cache=maybe'
refused 7 "$work/lun.img" "$mnt" -o login_timeout=soon
says 'login_timeout=soon'
refused 7 "$work/lun.img" "$mnt" -o password=x
says 'credentials'
refused 1 "$work/lun.img" "$mnt" -o sessions=4
says 'sessions.*not available yet'
refused 1 "$work/lun.img" "$mnt" -o portal=127.0.0.1
says 'portal.*not available yet'
refused 7 "$work/lun.img" "$mnt" --unknown
says 'unknown'
refused 21 "$work/missing.img" "$mnt"
says "$work/missing.img"

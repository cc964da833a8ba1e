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
refused 7 "$work/lun.img" "$mnt" --unknown
says 'unknown'
refused 21 "$work/missing.img" "$mnt"
says "$work/missing.img"

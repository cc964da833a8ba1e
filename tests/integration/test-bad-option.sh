#!/bin/bash
# An unknown option and a bad value are refused by name. @short

. "$(dirname "$0")/functions.sh"

help='see lunfs --help or lunfs\(8\)'
truncate -s 1m "$work/lun.img"
refused 7 "$work/lun.img" "$mnt" -o sesions=2
tells "unknown option 'sesions'" 'it is misspelt, or another version of lunfs has it' "$help"
refused 7 "$work/lun.img" "$mnt" -o cache=maybe
tells 'option cache=maybe: takes auto or none' 'the value is misspelt' "$help"
refused 7 "$work/lun.img" "$mnt" -o login_timeout=soon
tells 'option login_timeout=soon: takes a number from 1 to 86400' \
  'it is no number, has a unit behind it, or is too small or too large' "$help"
refused 7 "$work/lun.img" "$mnt" -o password=x
tells 'a password cannot stand in the mount options' \
  'options can be read by everybody in the process list and in fstab' \
  'put it into a credentials file \(mode 0600\) and use -o credentials=FILE'
refused 7 "$work/lun.img" "$mnt" -o sessions=9
tells 'option sessions=9: takes a number from 1 to 8' \
  'it is no number, has a unit behind it, or is too small or too large' "$help"
refused 7 "$work/lun.img" "$mnt" -o sessions=4
tells 'option sessions: only a LUN behind iSCSI has sessions' \
  'the source is an image or a block device' 'leave the option out'
refused 7 "$work/lun.img" "$mnt" -o portal=127.0.0.1
tells 'option portal: only a LUN behind iSCSI has portals' \
  'the source is an image or a block device' 'leave the option out'
refused 7 "$work/lun.img" "$mnt" -o portal=127.0.0.1:x
tells 'option portal=127.0.0.1:x: .*port is not a number.*' 'it takes HOST, HOST:PORT or discover' "$help"
refused 7 "$work/lun.img" "$mnt" --unknown
tells '.*--unknown' "a word is misspelt, or a file's name begins with a dash" "$help"
refused 21 "$work/missing.img" "$mnt"
tells "$work/missing.img: No such file or directory" \
  'the path is misspelt, or what it names was moved' \
  'check the path of the LUN image or block device'

#!/bin/bash
# A user that the target does not know: refused, naming the user.

. "$(dirname "$0")/functions.sh"

simple_vg "$work/lun.img"
serve "$work/lun.img"
chap_account 1 alice secret-of-alice
write_credentials "$work/credentials" default username=bob password=secret-of-alice

refused 24 "$(lun_url)" "$mnt" -o "credentials=$work/credentials"
tells "login to $iqn at 127.0.0.1:$tgt_port with one-way CHAP as user bob was refused: authentication failure \(0x0201\)" \
  'the user name or the secret is not the one the target has' \
  "compare username and password .*\(credentials: $work/credentials\); allow initiator iqn[^ ]+ in the array's access list"

echo "the URL names another user than the file:"
refused 7 "$(lun_url 1 carol)" "$mnt" -o "credentials=$work/credentials"
tells 'the URL names user carol, the credentials are for bob' \
  "the section that was found is another user's" \
  'take the user out of the URL, or give the target a section with this user'

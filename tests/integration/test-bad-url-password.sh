#!/bin/bash
# A password in the URL is refused and not repeated. @short

. "$(dirname "$0")/functions.sh"

says_where_secrets_go() {
  tells 'the iSCSI URL holds a password or a query' \
    'everybody on this machine can read the arguments of a command' \
    'take it out of the URL and put username and password into a credentials file of mode 0600: -o credentials=FILE, or ~/.config/lunfs/credentials, or /etc/lunfs/credentials'
}

for word in 'alice%unsaid-word-17@' 'alice:unsaid-word-17@'; do
  refused 7 "iscsi://${word}127.0.0.1:3260/$iqn/1" "$mnt"
  says_where_secrets_go
  assert_lacks "$mount_said" 'unsaid-word-17' "error text"
done
refused 7 "iscsi://127.0.0.1:3260/$iqn/1?target_password=unsaid-word-17" "$mnt"
says_where_secrets_go
assert_lacks "$mount_said" 'unsaid-word-17' "error text"

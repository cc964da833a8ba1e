#!/bin/bash
# A password in the URL is refused and not repeated. @short

. "$(dirname "$0")/functions.sh"

for word in 'alice%unsaid-word-17@' 'alice:unsaid-word-17@'; do
  refused 7 "iscsi://${word}127.0.0.1:3260/$iqn/1" "$mnt"
  in_three_parts
  says 'credentials'
  assert_lacks "$mount_said" 'unsaid-word-17' "error text"
done
refused 7 "iscsi://127.0.0.1:3260/$iqn/1?target_password=unsaid-word-17" "$mnt"
assert_lacks "$mount_said" 'unsaid-word-17' "error text"

#!/bin/bash
# lunfs-iqn check tells every fault of a name in a line of its own, and finds names that two hosts of a pool
# share, in each form in which a pool's names come. @short

. "$(dirname "$0")/functions.sh"

iqn_ends_with 0 check iqn.2001-05.com.example:a eui.02004567a425678d naa.52004567ba64678d
assert_equal "3 names, no fault" "$tool_out" "good names"

iqn_ends_with 7 check iqn.2001-13.com..example iqn.2001-05.com.example:A
assert_equal "iqn.2001-13.com..example: month 13 does not exist
iqn.2001-13.com..example: the domain has an empty part
iqn.2001-05.com.example:A: it has capital letters; its normal form is iqn.2001-05.com.example:a" "$tool_out" "the faults"

# As xe host-list params=iscsi_iqn --minimal prints them.
iqn_ends_with 7 check - <<<"iqn.2001-05.com.example:a,iqn.2001-05.com.example:b,iqn.2001-05.com.example:a"
assert_equal "line 1: iqn.2001-05.com.example:a: the same name as line 1: two hosts must not share one" "$tool_out" "a pool's list"

for host in 1 2 3; do
  printf '## comment\nInitiatorName=iqn.2001-05.com.example:host%s\n' $((host / 2)) >"$work/host$host"
done
iqn_ends_with 7 check - --json < <(cat "$work"/host[123])
assert_equal "line 6" "$(jq -r '.names[] | select(.good | not) | .place' <<<"$tool_out")" "the place of the duplicate"

iqn_ends_with 7 check - <<<"password = secret-of-alice"
assert_lacks "$tool_out$tool_err" secret-of-alice "what is no name"
iqn_ends_with 21 check - </dev/null

#!/bin/bash
# Nothing found is status 21 with the name to allow; what is not there by name or number, too. @short

. "$(dirname "$0")/functions.sh"

truncate -s 8m "$work/lun.img"
start_tgtd
where="127.0.0.1:$tgt_port"
sr_probe=(lunfs-sr probe "$where" --initiator "$initiator")
# A target for somebody else is not shown.
tgt --op new --mode target --tid 1 --targetname "$iqn"
tgt --op bind --mode target --tid 1 --initiator-name iqn.2026-11.example:other
new_lun 1 1 "$work/lun.img"
for format in '' --json --xml; do
  tool_fails 21 "$where shows initiator $initiator no target" \
    'the array lets no target be seen by this initiator, or by this address' \
    "allow initiator $initiator in the array's access list" "${sr_probe[@]}" $format
done
probe=${sr_probe[*]/$initiator/iqn.2026-11.example:other}
tool $probe
assert_contains "$tool_out" "^$iqn +1 +8.0 MiB +empty" "for the name that is allowed"

missing="$where shows initiator iqn.2026-11.example:other nothing of that name or number"
for words in '--target iqn.2026-11.example:none' '--lun 7' '--scsi-id 3600'; do
  tool_fails 21 "$missing" 'it is misspelt, or not mapped to this initiator' \
    "lunfs-sr probe $where lists what can be seen" $probe $words
done

for words in 'probe ::1' 'probe host:0' "probe $where --lun 20000" "probe $where --timeout 0" \
  "probe $where --initiator nonsense" "probe $where --json --xml" 'probe' 'sing' ''; do
  run_tool lunfs-sr $words
  assert_equal 7 "$tool_status" "status of lunfs-sr $words ($tool_err)"
  assert_contains "$tool_err" '^lunfs-sr: ' "error text of $words"
  assert_contains "$tool_err" '^  what to do: ' "error text of $words"
done

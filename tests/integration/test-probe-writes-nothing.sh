#!/bin/bash
# Probing and looking send nothing that changes a LUN, as the wire shows. @short

. "$(dirname "$0")/functions.sh"

unpack "$data/xenserver/sr-sample.img.xz" "$work/lun.img"
before=$(sha256_of "$work/lun.img")
serve "$work/lun.img" 512 thin
start_proxy
tool lunfs-sr probe "127.0.0.1:$proxy_port" --initiator "$initiator" --json
assert_equal sr "$(told '.targets[0].luns[] | select(.lun == 1) | .content')" "content"
assert_equal "$(proxy_url)" "$(told '.targets[0].luns[] | select(.lun == 1) | .url')" "the portal that was asked is the one that is used"
tool lunfs-sr info "$(proxy_url)" --initiator "$initiator"
tool lunfs-vdi list "$(proxy_url)" --initiator "$initiator"
tool lunfs-vdi info "$(proxy_url)" --initiator "$initiator"
[[ $(commands_seen read) -gt 16 ]] || fail "the proxy saw $(commands_seen read) reads only"
assert_equal '0 0' "$(commands_seen write) $(commands_seen flush)" "commands that write or flush"
# Everything else by name: questions only.
opcodes=$(jq -rs '[.[] | select(.event == "command") | .opcode] | unique | join(" ")' "$work/trace.json")
for opcode in $opcodes; do
  case $opcode in
  0 | 18 | 26 | 136 | 158 | 160) ;; # TEST UNIT READY, INQUIRY, MODE SENSE, READ(16), READ CAPACITY(16), REPORT LUNS
  *) fail "command $opcode was sent (all: $opcodes)" ;;
  esac
done
assert_equal "$before" "$(sha256_of "$work/lun.img")" "the LUN"
wait_until 10 no_session_left || fail "a session is left"

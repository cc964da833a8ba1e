#!/bin/bash
# A name server that does not answer costs the tools the time that they were given, and is told as the cause;
# portals behind such a name are tried all the same. @short

if [[ $EUID == 0 && -z ${LUNFS_OWN_NAMESPACE:-} ]]; then
  LUNFS_OWN_NAMESPACE=1 exec unshare --mount --propagation private bash "$0"
fi

. "$(dirname "$0")/functions.sh"

own_host
name=iqn.2001-05.com.example:host7
iqn_ends_with 0 set "$name"
truncate -s 8M "$work/lun.img"
serve "$work/lun.img"
# Of the whole loopback network one address where nobody else listens.
python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.53.77", 53))
open(sys.argv[1], "w").close()
time.sleep(100)' "$work/listens" &
note_process $!
on_exit end_process $!
wait_until 10 test -e "$work/listens" || skip "no port 53 to be had"
rm -f /etc/resolv.conf
printf 'nameserver 127.0.53.77\noptions timeout:20 attempts:2\n' >/etc/resolv.conf
echo 'hosts: files dns' >/etc/nsswitch.conf

what='mute.example:3260: no answer within the login timeout'
cause='no name server told the address of mute.example'
remedy='check host, port and firewall, or give the login more time .*--timeout or --login-timeout\)'
start=$SECONDS
iqn_ends_with 8 verify mute.example "127.0.0.1:$tgt_port" --login-timeout 1 --hold 1
assert_less $((SECONDS - start)) 8 "seconds of verify"
assert_contains "$tool_err" "^lunfs-iqn: discovery at $what\$" "what"
assert_contains "$tool_err" "^  likely cause: $cause\$" "why"
assert_contains "$tool_err" "^  what to do: $remedy\$" "what to do"
assert_contains "$tool_out" "^$iqn +127.0.0.1:$tgt_port +stays\$" "the portal behind it"
start=$SECONDS
tool_fails 8 "discovery at $what" "$cause" "$remedy" lunfs-sr probe mute.example --timeout 1
tool_fails 8 "login to $iqn at $what" "$cause" "$remedy" lunfs-vdi list "iscsi://mute.example/$iqn/1" --timeout 1
assert_less $((SECONDS - start)) 10 "seconds of probe and list"

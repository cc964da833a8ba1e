#!/bin/bash
# The name is not changed while a lunfs mount or a session of the kernel uses it: the refusal lists them.
# --force changes it and says what may break. Sessions under other names are not in the way.

if [[ $EUID == 0 && -z ${LUNFS_OWN_NAMESPACE:-} ]]; then
  LUNFS_OWN_NAMESPACE=1 exec unshare --mount --propagation private bash "$0"
fi

. "$(dirname "$0")/functions.sh"

own_host
simple_vg "$work/lun.img"
serve "$work/lun.img"
old=iqn.2001-05.com.example:old
new=iqn.2001-05.com.example:new
iqn_ends_with 0 set "$old"
initiator=

mount_lunfs "$(lun_url)" "$mnt"
pid=$(daemons_of "$mnt")
iqn_ends_with 0 show
assert_contains "$tool_out" "^in use +by 1 session$" "who uses it"
assert_contains "$tool_out" "^lunfs +$mnt +$pid +$iqn +127.0.0.1:$tgt_port +up$" "the mount"
iqn_ends_with 28 set "$new"
assert_contains "$tool_err" "^lunfs-iqn: $old is in use and was not changed:$" "what"
assert_contains "$tool_err" "^    the lunfs mount $mnt \(pid $pid\), $iqn at 127.0.0.1:$tgt_port$" "who is in the way"
assert_contains "$tool_err" "^  likely cause: targets know these sessions by the name$" "why"
assert_contains "$tool_err" "^  what to do: unmount \(lunfs -u DIR\) .*--force" "what to do"
iqn_ends_with 28 generate --write
assert_equal "$old" "$(name_in "$host_name_file")" "the name after the refusals"

# A daemon that is stopped cannot tell: it may use the name.
kill -STOP "$pid"
iqn_ends_with 28 set "$new"
assert_contains "$tool_err" "^    the lunfs mount $mnt, .*, whose name cannot be told$" "a mute daemon"
kill -CONT "$pid"

# Without its socket the mount is asked by its file.
rm "$(status_of "$mnt" | jq -r .control_socket)"
iqn_ends_with 28 set "$new"
assert_contains "$tool_err" "^    the lunfs mount $mnt \\(pid $pid\\), $iqn at 127.0.0.1:$tgt_port$" "a mount without a socket"

iqn_ends_with 0 set "$new" --force
assert_contains "$tool_err" "1 session goes on under $old until .* refuse" "what may break"
assert_contains "$tool_err" "the lunfs mount $mnt " "whose session"
assert_equal "$new" "$(name_in "$host_name_file")" "the name after --force"
# The mount stands under the old name, so that the new one is free.
iqn_ends_with 0 set "$old"
unmount "$mnt"

mount_lunfs "$(lun_url)" "$mnt" -o initiator=iqn.2001-05.com.example:other
iqn_ends_with 0 show
assert_contains "$tool_out" "^in use +no$" "a mount under another name"
# Other mounts of this host may stand beside it.
assert_contains "$tool_out" "^[1-9][0-9]* sessions? under other names$" "a mount under another name"
iqn_ends_with 0 set "$new"
iqn_ends_with 0 set "$old"
unmount "$mnt"

kernel_session "$old" iqn.2001-05.com.array:pool
iqn_ends_with 28 set "$new"
assert_contains "$tool_err" "^    the kernel's session1, iqn.2001-05.com.array:pool at 10.0.0.1:3260$" "the kernel's session"
kernel_session iqn.2001-05.com.example:other iqn.2001-05.com.array:pool
iqn_ends_with 0 set "$new"
assert_equal "$new" "$(name_in "$host_name_file")" "the name at the end"

#!/bin/bash
# lunfs-iqn keeps the name where open-iscsi reads it, in its form, for its owner only; what else stands in
# the file, its mode and owner are kept. Others than root have a file of their own. @short

if [[ $EUID == 0 && -z ${LUNFS_OWN_NAMESPACE:-} ]]; then
  LUNFS_OWN_NAMESPACE=1 exec unshare --mount --propagation private bash "$0"
fi

. "$(dirname "$0")/functions.sh"

requires setpriv
own_host
iqn_ends_with 21 show
assert_contains "$tool_err" "^lunfs-iqn: no initiator name is stored$" "what"
assert_contains "$tool_err" "^  likely cause: there is none in $host_name_file$" "why"

iqn_ends_with 0 generate --write --prefix iqn.2001-05.com.example
made=$(name_in "$host_name_file")
assert_contains "$made" '^iqn\.2001-05\.com\.example:[0-9a-f]{8}$' "a name as XenServer has them"
assert_equal "600 0" "$(stat -c '%a %u' "$host_name_file")" "mode and owner of a new file"
iqn_ends_with 0 show --json
assert_equal "$made $host_name_file" "$(jq -r '.name + " " + .file' <<<"$tool_out")" "what is shown"

{ echo "## by hand" && cat "$host_name_file"; } >"$work/edited"
cp "$work/edited" "$host_name_file"
chmod 640 "$host_name_file"
chown 0:4 "$host_name_file"
iqn_ends_with 0 set iqn.2001-05.com.example:web1 --alias "web 1"
assert_equal "## by hand
InitiatorName=iqn.2001-05.com.example:web1
InitiatorAlias=web 1" "$(cat "$host_name_file")" "the file"
assert_equal "640 0 4" "$(stat -c '%a %u %g' "$host_name_file")" "mode and owner"
assert_contains "$tool_err" "replaces $made: allow the new name in the access list" "what to do next"
assert_equal initiatorname.iscsi "$(ls -A /etc/iscsi)" "files in the folder"

# By the machine's id: the same every time, and another for another machine.
echo 0123456789abcdef0123456789abcdef >/etc/machine-id
iqn_ends_with 0 generate --from-machine-id
of_machine=$tool_out
assert_contains "$of_machine" '^iqn\.[0-9]{4}-[0-9]{2}\.com\.example:[0-9a-f]{8}$' "the name of a machine"
iqn_ends_with 0 generate --from-machine-id
assert_equal "$of_machine" "$tool_out" "the name of the same machine"
iqn_ends_with 0 generate --from-machine-id --write --file "$work/of-machine"
assert_equal "$of_machine" "$(name_in "$work/of-machine")" "the name of the machine when it is stored"
echo 1123456789abcdef0123456789abcdef >/etc/machine-id
iqn_ends_with 0 generate --from-machine-id
[[ $tool_out != "$of_machine" ]] || fail "two machines have one name"
: >/etc/machine-id
iqn_ends_with 21 generate --from-machine-id

iqn_ends_with 7 set iqn.2001-13.com.example:web1
assert_contains "$tool_err" "^lunfs-iqn: not an iSCSI name: month 13 does not exist$" "the fault"
iqn_ends_with 7 set iqn.2199-01.com.example:web1
assert_contains "$tool_err" 'its date lies in the future' "a date to come"
iqn_ends_with 7 generate --prefix iqn.2199-01.com.example
assert_equal iqn.2001-05.com.example:web1 "$(name_in "$host_name_file")" "the name after a refusal"

# An ordinary user.
cp "${LUNFS%/*}/lunfs-iqn" "$work/tool"
mkdir "$work/home"
chown 65534:65534 "$work/home"
as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups env -u XDG_CONFIG_HOME -u XDG_RUNTIME_DIR "HOME=$work/home")
bounded 60 "${as_nobody[@]}" "$work/tool" generate --write >/dev/null || fail "nobody cannot store a name"
own=$work/home/.config/lunfs/initiatorname.iscsi
assert_contains "$(bounded 60 "${as_nobody[@]}" "$work/tool" show)" "^from +$own$" "where a user's name stands"
assert_equal "600 65534" "$(stat -c '%a %u' "$own")" "mode and owner of a user's file"
assert_fails_with "Permission denied" "${as_nobody[@]}" "$work/tool" set iqn.2001-05.com.example:x --file "$host_name_file"

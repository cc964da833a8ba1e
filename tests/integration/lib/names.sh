# lunfs-iqn, and hosts with names of their own. Sourced by functions.sh.

# iqn_ends_with STATUS ARGS...: lunfs-iqn must end with STATUS; what it printed is in tool_out and tool_err
iqn_ends_with() {
  local expected=$1
  shift
  run_tool lunfs-iqn "$@"
  assert_equal "$expected" "$tool_status" "status of lunfs-iqn $* ($tool_out $tool_err)"
}

# own_host: in a mount namespace of its own (see the tests) this host has no initiator's name, an /etc
# that may be written, and no mounts of others
own_host() {
  requires_root
  forget_other_mounts
  cp -a /etc "$work/etc"
  rm -rf "$work/etc/iscsi"
  mount --bind "$work/etc" /etc
  on_exit umount -l /etc
  host_name_file=/etc/iscsi/initiatorname.iscsi
}

# kernel_session INITIATOR TARGET [ISID]: the kernel of this host has a session, as far as sysfs tells; in a
# mount namespace of its own
kernel_session() {
  local session=/sys/class/iscsi_session/session1
  if ! grep -q ' /sys/class ' /proc/self/mountinfo; then
    mount -t tmpfs tmpfs /sys/class
    on_exit umount -l /sys/class
  fi
  mkdir -p "$session" /sys/class/iscsi_connection/connection1:0
  echo "$1" >"$session/initiatorname"
  echo "$2" >"$session/targetname"
  echo LOGGED_IN >"$session/state"
  echo "${3:-00023d000000}" >"$session/isid"
  echo 10.0.0.1 >/sys/class/iscsi_connection/connection1:0/persistent_address
  echo 3260 >/sys/class/iscsi_connection/connection1:0/persistent_port
}
no_kernel_session() { rm -rf /sys/class/iscsi_session; }

# name_in FILE: the initiator's name that stands there
name_in() { sed -n 's/^InitiatorName=//p' "$1"; }

# initiators_at TID: the initiators that the target has sessions with
initiators_at() { tgt --op show --mode target | sed -n "/^Target $1:/,/^Target/s/^ *Initiator: //p"; }

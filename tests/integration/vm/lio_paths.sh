# Two paths to a LUN of the Linux kernel's target: portal groups 1 and 2 of $lio:paths, each at a network of its own,
# each with an access state (ALUA) of its own. Sourced after lio.sh, by a test that has sourced own_network.sh first.
# Path N of lib/paths.sh is the one to portal group N.

. "$here/lib/paths.sh"
path_portal=('' 10.0.2.15:3260 10.0.3.15:3260)

# start_lio_paths IMAGE [ORDER]: both ports are active/optimized; ORDER is for the guest, before there are any
start_lio_paths() {
  local tag networks=()
  ip link set lo up
  for tag in 1 2; do
    new_switch "$tag"
    networks+=(-netdev "tap,id=net$tag,ifname=port$tag,script=no,downscript=no"
      -device "virtio-net-pci,netdev=net$tag,romfile=")
  done
  { echo "${2:-}"; two_groups; guest_obeys 'lio: up'; } >"$work/targets"
  boot_lio "$1" "$work/targets" "${networks[@]}" "${guest_orders[@]}"
}

# new_switch TAG: a network with the guest at port TAG. QEMU's own network would keep what it has taken, and pass it on
# after the end of the connection.
new_switch() {
  ip link add "switch$1" type bridge
  ip tuntap add "port$1" mode tap
  ip link set "port$1" master "switch$1"
  ip address add "10.0.$(($1 + 1)).2/24" dev "switch$1"
  ip link set "switch$1" up
  ip link set "port$1" up
}
# What can happen to path TAG: the portal group is disabled, or the network swallows everything in both directions.
disable() { in_guest "disable $1"; }
enable() { in_guest "enable $1"; }
silence() { ip link set "port$1" down; }
unsilence() { ip link set "port$1" up; }

# For in_guest.
two_groups() {
  cat <<'GUEST'
new_network eth1 10.0.3.15
for tag in 1 2; do
  new_group paths $tag 10.0.$((tag + 1)).15:3260 0; for_all
  mkdir $lun/alua/group$tag
  echo $tag >$lun/alua/group$tag/tg_pt_gp_id
  echo group$tag >$group/lun/lun_1/alua_tg_pt_gp
  echo 1 >$group/enable
done
# access TAG STATE
access() {
  case $2 in
    active/optimized) state=0 ;;
    active/non-optimized) state=1 ;;
    standby) state=2 ;;
    unavailable) state=3 ;;
  esac
  echo $state >$lun/alua/group$1/alua_access_state
}
# enable, disable TAG: a portal group that is disabled ends its sessions and lets nobody in
enable() { echo 1 >$all/iscsi/$lio:paths/tpgt_$1/enable; }
disable() { echo 0 >$all/iscsi/$lio:paths/tpgt_$1/enable; }
# port TAG FIGURE: in_cmds, read_mbytes, write_mbytes
port() { cat $all/iscsi/$lio:paths/tpgt_$1/lun/lun_1/statistics/scsi_tgt_port/$2; }
# sessions TAG: who has one
sessions() { tr -d '\0' <$all/iscsi/$lio:paths/tpgt_$1/dynamic_sessions; }
# resets: how many the LUN has seen
resets() { cat $lun/statistics/scsi_tgt_dev/resets; }
GUEST
}

# mount_lio_paths [OPTIONS]: the URL names path 1
mount_lio_paths() {
  mount_lunfs "iscsi://${path_portal[1]}/$lio:paths/1" "$mnt" -o "portal=${path_portal[2]}${1:+,$1}"
}

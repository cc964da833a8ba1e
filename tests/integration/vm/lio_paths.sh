# Two paths to a LUN of the Linux kernel's target: portal groups 1 and 2 of $lio:paths, each at a network of its own,
# each with an access state (ALUA) of its own. Sourced after lio.sh. Path N of lib/paths.sh is the one to portal group N.

. "$here/lib/paths.sh"

# start_lio_paths IMAGE [ORDER]: both ports are active/optimized; ORDER is for the guest, before there are any
start_lio_paths() {
  local tag networks=()
  for tag in 1 2; do
    path_port[tag]=$(free_port)
    networks+=(-netdev "user,id=net$tag,net=10.0.$((tag + 1)).0/24,restrict=on,hostfwd=tcp:127.0.0.1:${path_port[tag]}-:3260"
      -device "virtio-net-pci,netdev=net$tag,romfile=")
  done
  { echo "${2:-}"; two_groups; guest_obeys 'lio: up'; } >"$work/targets"
  boot_lio "$1" "$work/targets" "${networks[@]}" "${guest_orders[@]}"
}

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
# link TAG up|down: down, the network swallows everything
link() { ip link set eth$(($1 - 1)) $2; }
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
  mount_lunfs "iscsi://127.0.0.1:${path_port[1]}/$lio:paths/1" "$mnt" -o "portal=127.0.0.1:${path_port[2]}${1:+,$1}"
}

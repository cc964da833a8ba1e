# The target of the Linux kernel, in a guest: one LUN, and four targets that show it. Sourced after guest.sh.

lio=iqn.2026-11.example.lio

# start_lio IMAGE INITIATOR: IMAGE is LUN 1 of
#   $lio:open      whoever asks
#   $lio:listed    INITIATOR alone
#   $lio:chap      who proves to be alice (secret-of-alice)
#   $lio:mutual    the same, and proves to be array (secret-of-array)
# Discovery is for finder (secret-of-finder) and proves to be seeker (secret-of-seeker). Sets lio_portal.
start_lio() {
  lio_portal=127.0.0.1:$(free_port)
  { echo "listed=$2"; four_targets; echo "sleep 270"; } >"$work/targets"
  boot_lio "$1" "$work/targets" -netdev "user,id=net,restrict=on,hostfwd=tcp:$lio_portal-:3260" \
    -device virtio-net-pci,netdev=net,romfile=
}

# How long it lives at most, in seconds; a test that takes longer says so before.
lio_lives=280

# boot_lio IMAGE TARGETS QEMU_ARGS...: IMAGE is the guest's LUN, which the script TARGETS, a file, shows at the
# networks of QEMU_ARGS, the first of which is 10.0.2.0/24
boot_lio() {
  requires_guest
  prepare_kernel
  { lio_begins; cat "$2"; } >"$work/script"
  make_initramfs "$work/initramfs.gz" "$work/script" \
    "virtio_pci virtio_net virtio_blk crc32c_generic target_core_iblock iscsi_target_mod" ""
  start_guest 'lio: up' "$lio_lives" "$work/initramfs.gz" \
    -drive "file=$1,format=raw,if=none,id=disk" -device virtio-blk-pci,drive=disk "${@:3}"
}

lio_begins() {
  echo "lio=$lio"
  cat <<'GUEST'
set -e
# new_network DEVICE ADDRESS
new_network() {
  ip link set $1 up; ip addr add $2/24 dev $1
  until [ "$(cat /sys/class/net/$1/carrier)" = 1 ]; do sleep 0.1; done
}
ip link set lo up; new_network eth0 10.0.2.15
mount -t configfs config /sys/kernel/config
all=/sys/kernel/config/target
lun=$all/core/iblock_0/lun
mkdir -p /var/target/alua $lun
echo udev_path=/dev/vda >$lun/control
echo lio-serial-1 >$lun/wwn/vpd_unit_serial
echo 1 >$lun/enable

give() { echo -n "$2" >"$1"; }
# new_group NAME TAG PORTAL AUTHENTICATION(0|1): group is this portal group of the target
new_group() {
  group=$all/iscsi/$lio:$1/tpgt_$2
  mkdir -p $group/lun/lun_1
  ln -s $lun $group/lun/lun_1/port
  echo $4 >$group/attrib/authentication
  mkdir -p $group/np/$3
}
new_target() { new_group $1 1 0.0.0.0:3260 $2; }
for_all() {
  echo 1 >$group/attrib/generate_node_acls
  echo 1 >$group/attrib/cache_dynamic_acls
  echo 0 >$group/attrib/demo_mode_write_protect
}
GUEST
}

four_targets() {
  cat <<'GUEST'
new_target open 0; for_all; echo 1 >$group/enable
new_target listed 0
echo 0 >$group/attrib/generate_node_acls
mkdir -p $group/acls/$listed/lun_1
ln -s $group/lun/lun_1 $group/acls/$listed/lun_1/port
echo 1 >$group/enable
new_target chap 1; for_all
give $group/auth/userid alice; give $group/auth/password secret-of-alice
echo 1 >$group/enable
new_target mutual 1; for_all
give $group/auth/userid alice; give $group/auth/password secret-of-alice
give $group/auth/userid_mutual array; give $group/auth/password_mutual secret-of-array
echo 1 >$group/enable

found=$all/iscsi/discovery_auth
give $found/userid finder; give $found/password secret-of-finder
give $found/userid_mutual seeker; give $found/password_mutual secret-of-seeker
echo 1 >$found/enforce_discovery_auth
echo 'lio: up'
GUEST
}

# The target of the Linux kernel, in a guest: four targets with one LUN. Sourced after guest.sh.

lio=iqn.2026-11.example.lio

# start_lio IMAGE INITIATOR: IMAGE is LUN 1 of
#   $lio:open      whoever asks
#   $lio:listed    INITIATOR alone
#   $lio:chap      who proves to be alice (secret-of-alice)
#   $lio:mutual    the same, and proves to be array (secret-of-array)
# Discovery is for finder (secret-of-finder) and proves to be seeker (secret-of-seeker). Sets lio_portal.
start_lio() {
  requires qemu-system-x86_64 busybox cpio depmod modprobe
  prepare_kernel
  guest_script "$2" >"$work/script"
  make_initramfs "$work/initramfs.gz" "$work/script" \
    "virtio_pci virtio_net virtio_blk crc32c_generic target_core_iblock iscsi_target_mod" ""
  lio_portal=127.0.0.1:$(free_port)
  start_guest 'lio: up' 280 "$work/initramfs.gz" \
    -drive "file=$1,format=raw,if=none,id=disk" -device virtio-blk-pci,drive=disk \
    -netdev "user,id=net,restrict=on,hostfwd=tcp:$lio_portal-:3260" -device virtio-net-pci,netdev=net,romfile=
}

guest_script() {
  cat <<GUEST
set -e
lio=$lio
listed=$1
GUEST
  cat <<'GUEST'
ip link set lo up; ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0
mount -t configfs config /sys/kernel/config
all=/sys/kernel/config/target
lun=$all/core/iblock_0/lun
mkdir -p /var/target/alua $lun
echo udev_path=/dev/vda >$lun/control
echo lio-serial-1 >$lun/wwn/vpd_unit_serial
echo 1 >$lun/enable

give() { echo -n "$2" >"$1"; }
# new_target NAME AUTHENTICATION(0|1): group is its portal group
new_target() {
  group=$all/iscsi/$lio:$1/tpgt_1
  mkdir -p $group/lun/lun_1
  ln -s $lun $group/lun/lun_1/port
  echo $2 >$group/attrib/authentication
  mkdir -p $group/np/0.0.0.0:3260
}
for_all() {
  echo 1 >$group/attrib/generate_node_acls
  echo 1 >$group/attrib/cache_dynamic_acls
  echo 0 >$group/attrib/demo_mode_write_protect
}

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
sleep 270
GUEST
}

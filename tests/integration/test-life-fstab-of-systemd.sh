#!/bin/bash
# systemd makes a mount unit of the network out of a line of fstab, one that the boot does not wait for, with the limits that
# the line gives; what that unit has mount(8) do mounts the LUN. (There is no systemd to start it here.)

if [[ $EUID == 0 && -z ${LUNFS_OWN_NAMESPACE:-} ]]; then # for a mount helper of its own
  LUNFS_OWN_NAMESPACE=1 exec unshare --mount --propagation private bash "$0"
fi

. "$(dirname "$0")/functions.sh"

requires_root
requires_fuse
generator=/lib/systemd/system-generators/systemd-fstab-generator
requires systemd-escape "$generator"
with_installed_lunfs

simple_vg "$work/lun.img"
serve "$work/lun.img"
source=$(lun_url)
mkdir "$work/units"
options=ro,_netdev,nofail,x-systemd.requires=network-online.target,x-systemd.mount-timeout=30,initiator=$initiator,log_file=$log
echo "$source $mnt fuse.lunfs $options 0 0" >"$work/fstab"
SYSTEMD_FSTAB=$work/fstab SYSTEMD_LOG_TARGET=console bounded 20 "$generator" "$work/units" "$work/units" "$work/units" || fail "the generator fails"
unit=$work/units/$(systemd-escape --path --suffix=mount "$mnt")
[[ -e $work/units/remote-fs.target.wants/${unit##*/} ]] || fail "not one of remote-fs.target: $(find "$work/units")"
# the_units KEY: its value
the_units() { sed -n "s/^$1=//p" "$unit"; }
assert_equal network-online.target "$(the_units After)" After
assert_equal 30s "$(the_units TimeoutSec)" TimeoutSec
assert_equal "$source $mnt fuse.lunfs" "$(the_units What) $(the_units Where) $(the_units Type)" "what is mounted"

on_exit release_mount "$mnt"
# As mount units do, with no HOME and next to nothing else.
bounded 60 env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin mount "$(the_units What)" "$(the_units Where)" -t "$(the_units Type)" -o "$(the_units Options)" ||
  fail "mount fails"
assert_same_bytes "$mnt/disk" "$work/lun.img.disk" "a disk"
bounded 30 umount "$mnt"
wait_until 20 no_process_of "$mnt" || fail "umount leaves a process"

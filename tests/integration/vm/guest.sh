# A small Linux guest under software emulation: Debian's cloud kernel and an initramfs of busybox
# with whatever a test wants. Sourced after functions.sh.
#
# Kernel and modules are downloaded once (26 MB) and kept in guest_cache; it may be deleted.

guest_cache=${XDG_CACHE_HOME:-$HOME/.cache}/lunfs-vm

requires_guest() { requires qemu-system-x86_64 busybox cpio depmod modprobe; }

# prepare_kernel: sets guest_kernel (version); downloads what is missing
prepare_kernel() {
  mkdir -p "$guest_cache"
  exec 8>"$guest_cache/lock"
  bounded 300 flock 8 || fail "somebody else is at $guest_cache"
  guest_kernel=$(cat "$guest_cache/version" 2>/dev/null || true)
  if [[ -z $guest_kernel || ! -e $guest_cache/files/boot/vmlinuz-$guest_kernel ]]; then
    download_kernel || skip "cannot download a kernel for the guest"
  fi
  exec 8>&-
}

download_kernel() {
  local package
  package=$(kernel_package)
  if [[ -z $package ]]; then
    bounded 200 apt-get update -qq >&2
    package=$(kernel_package)
  fi
  [[ -n $package ]] || return 1
  rm -rf "$guest_cache/files" "$guest_cache"/*.deb
  (cd "$guest_cache" && bounded 300 apt-get download -qq "$package") >&2 2>"$work/download.err" || return 1
  dpkg-deb -x "$guest_cache/$package"_*.deb "$guest_cache/files"
  rm -f "$guest_cache"/*.deb
  guest_kernel=${package#linux-image-}
  depmod -b "$guest_cache/files" "$guest_kernel"
  echo "$guest_kernel" >"$guest_cache/version"
}

kernel_package() { apt-cache depends linux-image-cloud-amd64 2>/dev/null | awk '/Depends: linux-image/ {print $2; exit}'; }

# make_initramfs FILE SCRIPT MODULES PROGRAMS: SCRIPT (a file) runs as the guest's only program,
# after the modules are loaded; the machine is switched off when it ends. PROGRAMS lie in /own and
# are called by that path: busybox takes its own of the same name first.
make_initramfs() {
  local root=$work/initramfs program library module
  mkdir -p "$root"/{bin,own,lib,proc,sys,dev,mnt,lib64,etc}
  touch "$root/etc/mtab"
  install "$(command -v busybox)" "$root/bin/busybox"
  for program in $4; do
    install "$(readlink -f "$(command -v "$program")")" "$root/own/$program"
    for library in $(ldd "$root/own/$program" | grep -o '/[^ )]*'); do
      install -D "$library" "$root$library"
    done
  done
  : >"$root/modules"
  for module in $3; do
    modprobe -d "$guest_cache/files" -S "$guest_kernel" --show-depends "$module" |
      awk '$1 == "insmod" {print $2}' >>"$root/modules.all"
  done
  awk '!seen[$0]++' "$root/modules.all" | while read -r module; do
    install -D -m 644 "$module" "$root/lib/${module##*/}"
    echo "/lib/${module##*/}" >>"$root/modules"
  done
  cp "$2" "$root/script"
  cat >"$root/init" <<'INIT'
#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin 2>/dev/null
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
while read -r module; do insmod "$module" || echo "insmod $module failed"; done </modules
dmesg -n 1
sh /script; echo "guest: script ended with $?"
poweroff -f
INIT
  chmod +x "$root/init"
  (cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$1"
}

# run_guest SECONDS INITRAMFS QEMU_ARGS...: until it powers off; what it printed is in guest_said
run_guest() {
  guest_command "${@:2}"
  bounded "$1" "${guest_command[@]}" >"$work/qemu.log" 2>&1 || fail "the guest: $(tail -n 20 "$work/qemu.log" "$work/console")"
  guest_said=$(tr -d '\r' <"$work/console")
  assert_contains "$guest_said" 'guest: script ended with 0' "the guest's console"
}

# start_guest READY SECONDS INITRAMFS QEMU_ARGS...: in the background until the test ends, SECONDS at most;
# returns when a line of its console is READY
start_guest() {
  local ready=$1
  guest_command "${@:3}"
  : >"$work/console"
  # Not by way of bounded, a function: the process to be ended would be the shell that runs it.
  timeout --foreground --kill-after=5 "$2" "${guest_command[@]}" >"$work/qemu.log" 2>&1 &
  on_exit end_process $!
  note_process $!
  wait_until 120 guest_is "$ready" || fail "the guest: $(tail -n 20 "$work/qemu.log" "$work/console")"
}
guest_is() { tr -d '\r' <"$work/console" | grep -qx -- "$1"; }

# A guest that was started with "${guest_orders[@]}" among the arguments of QEMU, and whose script ends with what
# guest_obeys prints, does what in_guest says.
guest_orders=(-serial "pipe:$work/orders")
mkfifo "$work/orders.in" "$work/orders.out"
# guest_obeys READY: the guest prints READY when it is
guest_obeys() {
  echo "ready='$1'"
  cat <<'GUEST'
set +e
# What comes while nobody has it open is lost.
exec </dev/ttyS1
stty -echo 115200
echo "$ready"
while read -r order command; do
  echo "order $order: begin"; (set -e; eval "$command"); echo "order $order: $?"
done
GUEST
}

# in_guest COMMAND: a line of its shell, which must succeed; what it prints is printed
in_guest() {
  local order=$EPOCHREALTIME
  bounded 10 dd of="$work/orders.in" status=none <<<"$order $*" || fail "the guest takes no order"
  wait_until 60 guest_is "order $order: [0-9]*" || fail "the guest does not end: $*"
  guest_is "order $order: 0" || fail "the guest: $*: $(tail -n 5 "$work/console")"
  tr -d '\r' <"$work/console" | sed -n "/^order $order: begin\$/,/^order $order: 0\$/{//!p}"
}

# guest_command INITRAMFS QEMU_ARGS...: the words that start it
guest_command() {
  guest_command=(qemu-system-x86_64 -machine q35 -accel tcg -cpu max -m 512 -nodefaults -no-reboot
    -display none -monitor none -serial "file:$work/console"
    -kernel "$guest_cache/files/boot/vmlinuz-$guest_kernel" -initrd "$1"
    -append "console=ttyS0 quiet panic=-1 mitigations=off edd=off no_timer_check tsc=unstable"
    "${@:2}")
}

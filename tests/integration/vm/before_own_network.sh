#!/bin/bash
# Looks whether a test of own_network.sh can run here (77: it cannot), and downloads the guest's kernel if it is not there.

. "$(dirname "$0")/../functions.sh"
. "$here/vm/guest.sh"

requires_root
requires unshare ip
requires_guest
[[ -c /dev/net/tun ]] || skip "no /dev/net/tun"
prepare_kernel

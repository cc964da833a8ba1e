#!/bin/bash
# Looks whether a test of own_network.sh can run here (77: it cannot), and downloads the guest's kernel if it is not there.

. "$(dirname "$0")/../functions.sh"
. "$here/vm/guest.sh"

requires_root
requires unshare ip
requires_guest
unshare --net bash -c 'ip link add switch type bridge && ip tuntap add port mode tap' 2>/dev/null ||
  skip "cannot make a network of its own here"
prepare_kernel

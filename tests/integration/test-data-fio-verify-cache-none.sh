#!/bin/bash
# fio finds all its checksums with cache=none, on a LUN with 4096-byte blocks. @timeout=300

. "$(dirname "$0")/functions.sh"

. "$here/lib/fio.sh"
fio_block=4096
fio_verifies --direct=0 cache=none

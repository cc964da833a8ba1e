#!/bin/bash
# fio finds all its checksums: random 4 KiB at depth 32, four jobs on four files and on one, O_DIRECT. @short @timeout=300

. "$(dirname "$0")/functions.sh"

. "$here/lib/fio.sh"
fio_verifies --direct=1

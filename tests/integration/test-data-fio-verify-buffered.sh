#!/bin/bash
# fio finds all its checksums through the page cache: random 4 KiB at depth 32, four jobs on four files and on one. @timeout=300

. "$(dirname "$0")/functions.sh"

. "$here/lib/fio.sh"
fio_verifies --direct=0

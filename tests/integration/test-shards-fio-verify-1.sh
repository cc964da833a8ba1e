#!/bin/bash
# One session: fio finds all its checksums in every pattern, and the LUN holds what was written. @timeout=400

. "$(dirname "$0")/functions.sh"

. "$here/lib/shards.sh"
shards_verify 1

#!/bin/bash
# Two minutes of random faults under load: no byte lost, torn or misplaced, and every call ends. @timeout=420

. "$(dirname "$0")/functions.sh"

"$top/scripts/soak" --seconds 120

#!/bin/bash
# bench/compare --quick runs, leaves nothing behind, and its tables have every row and no empty cell. What the
# figures are is not judged. @alone @timeout=240

. "$(dirname "$0")/functions.sh"

requires fio jq qemu-storage-daemon qemu-nbd nbdfuse iscsi-perf
requires_fuse
requires_loop
bounded 200 "$top/bench/compare" --quick --json --lunfs "$LUNFS" >"$work/report.json" 2>"$work/compare.log" ||
  fail "bench/compare does not run"
python3 "$top/bench/compare_jobs.py" | cut -d' ' -f1 >"$work/rows"
jq -r '.rows[] | "\(.target)/\(.job)"' "$work/report.json" | diff "$work/rows" - || fail "not the rows that there are"
bad=$(jq -c '.rows[] | select(
  (.ratio | keys != ["lunfs/iscsi-perf", "lunfs/nbdfuse", "lunfs/qsd"]) or
  (.programs | keys != ["iscsi-perf", "lunfs", "nbdfuse", "qsd"]) or
  ([.ratio[], .programs[].ops_per_s] | all(. > 0) | not) or
  ([.programs[].cpu_us_per_op | .daemon, .target, .client] | all(type == "number" and . >= 0) | not))' "$work/report.json")
assert_equal '' "$bad" "rows with empty cells"

bounded 20 python3 "$top/bench/compare_report.py" table "$work/report.json" >"$work/tables"
# Two tables of each target; a row has its name, and three ratios and a spread or four times of CPU.
assert_equal $((2 * $(wc -l <"$work/rows"))) \
  "$(grep -cE '  +[0-9.]+  +[0-9.]+  +[0-9.]+  +[0-9]+%$|(  +[-0-9.]+ / [0-9.]+ / [0-9.]+){4}$' "$work/tables")" "full rows of the tables"

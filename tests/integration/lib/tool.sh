# The tools beside the mount: lunfs-sr, lunfs-vdi, ... of the same build as $LUNFS. Sourced by
# functions.sh.

# run_tool TOOL ARGS...: sets tool_status, tool_out, tool_err (what it printed)
run_tool() {
  local program=${LUNFS%/*}/$1
  shift
  [[ -x $program ]] || fail "no program at $program: build first"
  tool_status=0
  bounded "${tool_limit:-60}" "$program" "$@" >"$work/tool.out" 2>"$work/tool.err" || tool_status=$?
  tool_out=$(cat "$work/tool.out")
  tool_err=$(cat "$work/tool.err")
}

# tool TOOL ARGS...: the same; it must succeed and complain of nothing
tool() {
  run_tool "$@"
  assert_equal 0 "$tool_status" "status of $* ($tool_err)"
  assert_equal '' "$tool_err" "what $* complains of"
}

# probe ARGS...: of the running tgtd
probe() { tool lunfs-sr probe "127.0.0.1:$tgt_port" --initiator "$initiator" "$@"; }

# tool_fails STATUS WHAT CAUSE REMEDY TOOL ARGS...: it prints nothing but the error, each part in one
# line that matches as a whole (extended regular expressions)
tool_fails() {
  local status=$1 what=$2 cause=$3 remedy=$4
  shift 4
  run_tool "$@"
  assert_equal "$status" "$tool_status" "status of $* ($tool_err)"
  assert_equal '' "$tool_out" "what $* prints beside its error"
  assert_contains "$tool_err" "^$1: $what\$" "what happened"
  assert_contains "$tool_err" "^  likely cause: $cause\$" "likely cause"
  assert_contains "$tool_err" "^  what to do: $remedy\$" "what to do"
}

# told FILTER: what jq finds in the tool's JSON, raw
told() { jq -r "$1" <<<"$tool_out" || fail "no JSON: $tool_out"; }

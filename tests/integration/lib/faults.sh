# Faults of a target that comes back, for long runs under load: tgtd behind the proxy, its LUN 1 the image
# $fault_image. Each fault_* ends with everything as it was. Sourced by scripts/soak.

# hit ACTION OP COUNT [MORE]: the next COUNT commands of class OP meet ACTION
hit() {
  ((fault_number += 1))
  rules "[{\"id\": \"$fault_number\", \"op\": \"$2\", \"action\": \"$1\", \"count\": $3${4:+, $4}}]"
}

# choose VARIABLE VALUE...: sets it to one of them. Never in a subshell: RANDOM does not go by its seed there.
choose() {
  local variable=$1
  shift
  local all=("$@")
  printf -v "$variable" %s "${all[RANDOM % $#]}"
}
# pause TENTHS_OF_A_SECOND: up to so many
pause() {
  local tenths=$((RANDOM % ($1 + 1)))
  sleep "$((tenths / 10)).$((tenths % 10))"
}

fault_cut() {
  local action op
  choose action drop_before drop_after reset_before reset_after cut_before cut_after
  choose op read write flush any
  fault_says="$action of $op"
  hit "$action" "$op" $((1 + RANDOM % 4))
}
fault_refusals() {
  local action op
  choose action busy task_set_full
  choose op read write flush
  fault_says="$action for $op"
  hit "$action" "$op" $((1 + RANDOM % 6))
}
fault_attention() {
  fault_says='a unit attention'
  hit sense any 1 '"sense": [6, 41, 0]'
}
fault_late_answers() {
  fault_says='late answers'
  hit delay any $((1 + RANDOM % 20)) "\"seconds\": $((1 + RANDOM % 2))"
}
fault_swallowed_command() {
  local action op
  choose action mute mute_after
  choose op read write
  fault_says="a $op swallowed ($action)"
  hit "$action" "$op" 1
}
fault_stopped_target() {
  fault_says='a stopped target'
  kill -STOP "$tgt_pid"
  pause 40
  kill -CONT "$tgt_pid"
}
fault_killed_target() {
  fault_says='a killed target'
  kill -9 "$tgt_pid"
  pause 30
  serve_again "$fault_image" ${fault_without_cache:+without_cache}
}

fault_number=0
faults=(cut cut refusals attention late_answers swallowed_command stopped_target killed_target)
# random_fault: one of them; fault_says tells which
random_fault() {
  local fault
  choose fault "${faults[@]}"
  "fault_$fault"
}

# Volumes full of random bytes, reads and writes of many threads in them (tools/soak_io.py), and models of what they have
# to hold. Sourced by the tests that need faults under such a load, and by scripts/soak.

model_names=(v1 v2 v3 v4)

# model_vg IMAGE: volumes in pieces, others between them; what the LUN must hold is kept beside
model_vg() {
  local name
  make_vg "$1" 128m plain
  for name in "${model_names[@]}"; do
    new_lv plain "$name" 6
    new_lv plain "between-$name" 2
  done
  for name in "${model_names[@]}"; do lvm2 lvextend -l +4 "plain/$name" >/dev/null; done
  save_layout "$work/layout"
  close_lvm
  mkdir "$work/models"
  for name in "${model_names[@]}"; do
    random_file "$work/models/$name" $((10 << 20))
    random_file "$work/between" $((2 << 20))
    lv_bytes write "$work/layout" "$1" "$name" 0 <"$work/models/$name"
    lv_bytes write "$work/layout" "$1" "between-$name" 0 <"$work/between"
  done
  cp --sparse=always "$1" "$work/expected.img"
}

# start_model_io SECONDS SEED: in the background, on $mnt; ended by end_model_io, or before its time by stop_model_io
start_model_io() {
  python3 "$tools/soak_io.py" "$mnt" "$work/models" "$1" "$2" "${model_names[@]}" >"$work/soak_io.out" 2>"$work/soak_io.log" &
  model_io=$!
  note_process "$model_io"
  on_exit end_process "$model_io"
}
# model_io_goes_on: reads and writes that began after this have ended
model_io_goes_on() {
  local status operation
  status=$(status_of "$mnt")
  for operation in read write; do
    wait_until 20 has_served "$mnt" $(($(jq ".requests.$operation.ended" <<<"$status") + 20)) "$operation" ||
      fail "no $operation ends: $(cat "$work/soak_io.log")"
  done
}
end_model_io() { wait "$model_io" || fail "the reads and writes: $(cat "$work/soak_io.log")"; }
stop_model_io() {
  kill -TERM "$model_io" 2>/dev/null || true
  end_model_io
}

# models_hold IMAGE: the whole LUN, in the volumes and beside them
models_hold() {
  local name
  for name in "${model_names[@]}"; do lv_bytes write "$work/layout" "$work/expected.img" "$name" 0 <"$work/models/$name"; done
  assert_same_bytes "$work/expected.img" "$1" "the whole LUN"
}

# Random layouts for the tests that compare every byte. Sourced by those.

seed=${LUNFS_TEST_SEED:-$((RANDOM * 32768 + RANDOM))}

# random_vg IMAGE BLOCKSIZE: v1, v2, v3 in several segments with holes between them, striped over
# two runs of extents; layout in IMAGE.layout; every byte of the filler volumes has a known sum
random_vg() {
  make_vg "$1" 160m plain 1m "$2"
  random_volumes plain 3 "$seed"
  edit_vg plain python3 "$tools/add_striped_lv.py" striped 128 3 140,130
  new_lv plain witness 4 120-121:126-127
  save_layout "$1.layout"
  lvm2 vgck plain
  close_lvm
  random_file "$work/witness" $((4 << 20))
  lv_bytes write "$1.layout" "$1" witness 0 <"$work/witness"
  head -c 1M "$1" >"$1.head"
}

# check_untouched IMAGE BLOCKSIZE: the first MiB (label and metadata), the witness volume
check_untouched() {
  assert_same_bytes <(head -c 1M "$1") "$1.head" "label and metadata"
  assert_equal "$(sha256_of "$work/witness")" "$(lv_bytes sha256 "$1.layout" "$1" witness)" "an LV that nobody wrote"
}

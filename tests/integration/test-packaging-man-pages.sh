#!/bin/bash
# Each page of docs/man becomes a manual page that groff renders without a word of complaint, with its name, its headings
# and its options as one types them. @short

. "$(dirname "$0")/functions.sh"

requires groff
for page in "$top"/docs/man/*.md; do
  name=$(basename "$page" .md)
  python3 "$top/packaging/man_page.py" 1.2.3 "$page" >"$work/page" || fail "$name is not made"
  groff -K utf8 -man -ww -Tutf8 -P-c -P-b -P-u "$work/page" >"$work/text" 2>"$work/complaints" || fail "$name is not rendered"
  assert_equal "" "$(cat "$work/complaints")" "what groff says of $name"
  text=$(cat "$work/text")
  assert_contains "$text" "^$(tr a-z A-Z <<<"${name%.*}")\(${name##*.}\)" "the head of $name"
  # What whatis(1) finds a page by.
  assert_contains "$text" "^ *${name%.*}(, [a-z.-]+)* - " "the NAME section of $name"
  while read -r heading; do
    grep -qF -- "$heading" <<<"$text" || fail "$name has no heading '$heading'"
  done < <(sed -n 's/^##* //p' "$page" | tail -n +2 | tr -d '`')
  while read -r option; do
    grep -qF -- "$option" <<<"$text" || fail "$name does not name $option"
  done < <(grep -o '^-., \\-\\-[a-z-]*\|^\\-\\-[a-z-]*' "$page" | tr -d '\\')
  assert_lacks "$text" '\\f[BIP]|\*\*' "marks left in $name"
done

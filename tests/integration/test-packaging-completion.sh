#!/bin/bash
# The completions offer every option that lunfs --help lists, values where there are few, and the directories that are
# mounted; bash is asked, of zsh and fish the words are looked at, and the syntax where these shells are. @short

. "$(dirname "$0")/functions.sh"

completions=$top/packaging/completion
. "$completions/lunfs.bash"
compopt() { :; } # works while bash completes only

# offered LINE: what bash is offered at the end of the line
offered() {
  COMP_LINE=$1 COMP_POINT=${#1}
  read -ra COMP_WORDS <<<"$1"
  [[ $1 != *' ' ]] || COMP_WORDS+=('')
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  case ${COMP_WORDS[0]} in
    lunfs) _lunfs ;;
    *) _lunfs_tool "${COMP_WORDS[0]}" ;;
  esac
  echo "${COMPREPLY[*]}"
}
assert_equal "cache=" "$(offered 'lunfs -o ca')" "an option's beginning"
assert_equal "ro,cache=" "$(offered 'lunfs -o ro,ca')" "an option's beginning behind another"
assert_equal "auto none" "$(offered 'lunfs -o ro,cache=')" "values"
assert_equal "none" "$(offered 'lunfs -o ro,cache=n')" "a value's beginning"
assert_equal "/etc/hostname" "$(offered 'lunfs -o credentials=/etc/hostna')" "a file as a value"
assert_equal "--unmount" "$(offered 'lunfs --un')" "a switch"
assert_equal "/etc/hostname" "$(offered 'lunfs /etc/hostna')" "a source"

help=$("$LUNFS" --help)
# "  cache=auto|none     ..." and "  uid=, gid=, umask=  ..." below "OPTIONS, comma-separated:"
options=$(sed -n '/OPTIONS, comma-separated/,/^$/p' <<<"$help" | sed -n 's/^ *\([a-z].*\)/\1/p' | sed 's/   *.*//' | tr ',' '\n' |
  sed 's/^ *//; s/=.*//' | grep -v '^$')
assert_contains "$options" '^vhd_cache$' "the options of --help"
for option in $options; do
  assert_contains "$(offered "lunfs -o $option")" "(^| )$option=?( |\$)" "bash"
  grep -qw -- "'$option" "$completions/_lunfs" || grep -qw -- "\"$option" "$completions/_lunfs" || fail "zsh does not know $option"
  grep -qw -- "$option" "$completions/lunfs.fish" || fail "fish does not know $option"
done

if [[ -w /dev/fuse && $EUID == 0 ]]; then
  simple_vg "$work/lun.img"
  mount_lunfs "$work/lun.img" "$mnt"
  assert_contains " $(offered 'lunfs -u ') " " $mnt " "what can be unmounted"
fi
PATH=$(dirname "$LUNFS"):$PATH
if command -v lunfs-iqn >/dev/null; then
  assert_equal generate "$(offered 'lunfs-iqn ge')" "a command of a tool"
  assert_equal --from-machine-id "$(offered 'lunfs-iqn generate --fr')" "an option of a tool's command"
fi
if command -v zsh >/dev/null; then zsh -n "$completions/_lunfs" && zsh -n "$completions/_lunfs-tools" || fail "zsh"; fi
if command -v fish >/dev/null; then fish -n "$completions/lunfs.fish" || fail "fish"; fi

#!/bin/bash
# bash, zsh and fish offer every option that lunfs --help lists, values where there are few, the directories that are
# mounted, and the commands and options of the tools: each shell is asked. @short

. "$(dirname "$0")/functions.sh"

requires zsh fish
PATH=$(dirname "$LUNFS"):$PATH
export HOME=$work # shells write there
completions=$top/packaging/completion
. "$completions/lunfs.bash"
compopt() { :; } # works while bash completes only

# offered LINE: what bash is offered at the end of the line; zsh_offered, fish_offered: the same of these, sorted
zsh_offered() { bounded 60 zsh -f "$tools/zsh_offers.zsh" "$completions" "$1" | xargs; }
fish_offered() { bounded 20 fish --no-config -c "source $completions/lunfs.fish; complete -C '$1'" | cut -f 1 | sort | xargs; }
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

assert_equal generate "$(offered 'lunfs-iqn ge')" "a command of a tool"
assert_equal --from-machine-id "$(offered 'lunfs-iqn generate --fr')" "an option of a tool's command"

echo "zsh and fish:"
assert_equal "cache=auto cache=none" "$(zsh_offered 'lunfs -o cache=')" "zsh: values"
assert_equal "cache=auto cache=none" "$(fish_offered 'lunfs -o cache=')" "fish: values"
assert_equal "ro,cache=auto ro,cache=none" "$(zsh_offered 'lunfs -o ro,cache=')" "zsh: values behind another option"
assert_equal "ro,cache=auto ro,cache=none" "$(fish_offered 'mount.lunfs -o ro,ca')" "fish: values behind another option"
for shell in zsh fish; do
  assert_equal --unmount "$(${shell}_offered 'lunfs --un')" "$shell: a switch"
  assert_contains "$(${shell}_offered 'lunfs /etc/hostna')" 'hostname$' "$shell: a source"
  assert_equal generate "$(${shell}_offered 'lunfs-iqn ge')" "$shell: a command of a tool"
  assert_equal --from-machine-id "$(${shell}_offered 'lunfs-iqn generate --fr')" "$shell: an option of a tool's command"
  assert_contains "$(${shell}_offered 'lunfs-sr ')" 'info probe' "$shell: the commands of a tool"
done

echo "every option of lunfs --help:"
help=$("$LUNFS" --help)
# "  cache=auto|none     ..." and "  uid=, gid=, umask=  ..." below "OPTIONS, comma-separated:"
options=$(sed -n '/OPTIONS, comma-separated/,/^$/p' <<<"$help" | sed -n 's/^ *\([a-z].*\)/\1/p' | sed 's/   *.*//' | tr ',' '\n' |
  sed 's/^ *//; s/=.*//' | grep -v '^$')
assert_contains "$options" '^vhd_cache$' "the options of --help"
in_zsh=$(zsh_offered 'lunfs -o ')
in_fish=$(fish_offered 'lunfs -o ')
for option in $options; do
  assert_contains "$(offered "lunfs -o $option")" "(^| )$option=?( |\$)" "bash"
  assert_contains "$in_zsh" "(^| )$option( |\$)" "zsh"
  assert_contains "$in_fish" "(^| )$option(=| |\$)" "fish"
done

if [[ -w /dev/fuse && $EUID == 0 ]]; then
  echo "what can be unmounted:"
  simple_vg "$work/lun.img"
  mount_lunfs "$work/lun.img" "$mnt"
  for shell in '' zsh_ fish_; do
    assert_contains " $(${shell}offered 'lunfs -u ') " " $mnt " "${shell:-bash_}offered"
  done

  echo "a directory whose name is a command:"
  odd="$work/a\$(touch\${IFS}ran)" # runs in this folder
  mount_lunfs "$work/lun.img" "$odd" -o ro
  assert_contains " $(offered 'lunfs -u ') " " $mnt " "bash: the other mount"
  COMP_LINE="lunfs -u $work/a" COMP_POINT=$((10 + ${#work} + 2)) COMP_CWORD=2
  _lunfs
  assert_equal "$(printf %q "$odd")" "${COMPREPLY[*]}" "bash: the directory, as it is typed"
  for shell in zsh fish; do ${shell}_offered 'lunfs -u ' >/dev/null; done
  [[ ! -e $work/ran ]] || fail "completion has run the name of a directory"
fi

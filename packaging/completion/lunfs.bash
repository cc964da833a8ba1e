# bash completion of lunfs(8), mount.lunfs, and of the tools, whose words are asked of the tools themselves.

# Mount options: those with a value end in "=".
_lunfs_mount_options='ro rw detached credentials= initiator= timeout= login_timeout= path_timeout= portal= portal=discover
  cache= sync_on_close= scheduling= vhd_cache= sessions= journal= uid= gid= umask= allow_other log= log_file= fsname= subtype=
  nodev nosuid noexec
  _netdev nofail noauto user x-systemd.automount'

# _lunfs_offer WORDS: those that begin with the word at the cursor, without a blank behind a "=". Only for words of our
# own: compgen -W carries out what it finds in them.
_lunfs_offer() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
  [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2>/dev/null
}
_lunfs_offer_files() {
  mapfile -t COMPREPLY < <(compgen "$@")
  compopt -o filenames 2>/dev/null
}

# The value of a mount option. bash takes what stands behind the "=" for the word.
_lunfs_option_value() {
  case $1 in
    credentials | log_file) _lunfs_offer_files -f -- "$2" ;;
    cache) _lunfs_offer 'auto none' "$2" ;;
    sync_on_close) _lunfs_offer 'yes no' "$2" ;;
    scheduling) _lunfs_offer 'batch normal' "$2" ;;
    log) _lunfs_offer 'error warn info debug' "$2" ;;
    uid) mapfile -t COMPREPLY < <(compgen -u -- "$2") ;;
    gid) mapfile -t COMPREPLY < <(compgen -g -- "$2") ;;
  esac
}

# _lunfs_offer_mounts: quoted, as any user may have given the directory its name
_lunfs_offer_mounts() {
  local line words directory
  while read -r line; do
    [[ $line == *' - fuse.lunfs '* ]] || continue
    read -ra words <<<"$line"
    printf -v directory %b "${words[4]}"
    printf -v directory %q "$directory"
    [[ $directory != "$1"* ]] || COMPREPLY+=("$directory")
  done </proc/self/mountinfo
}

_lunfs() {
  local line=${COMP_LINE:0:COMP_POINT} previous word last
  COMPREPLY=()
  # By blanks alone: COMP_WORDS is also broken at "=" and ":", which stand in options and URLs.
  word=${line##*[[:blank:]]}
  previous=${line%"$word"}
  previous=${previous%"${previous##*[![:blank:]]}"}
  previous=${previous##*[[:blank:]]}
  case $previous in
    -o | --options)
      last=${word##*,}
      if [[ $last == *=* ]]; then
        _lunfs_option_value "${last%%=*}" "${last#*=}"
      else
        _lunfs_offer "$_lunfs_mount_options" "$last"
        COMPREPLY=("${COMPREPLY[@]/#/${word%"$last"}}")
      fi
      ;;
    -u | --unmount) _lunfs_offer_mounts "$word" ;;
    *)
      case $word in
        -*) _lunfs_offer '-o --options -u --unmount -f --foreground -d --debug -h --help -V --version' "$word" ;;
        *) _lunfs_offer_files -f -- "$word" ;;
      esac
      ;;
  esac
}
complete -F _lunfs lunfs mount.lunfs

# lunfs-iqn, lunfs-sr, lunfs-vdi: subcommands and options as --help lists them.
_lunfs_tool() {
  local word=${COMP_WORDS[COMP_CWORD]} command= help i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ ${COMP_WORDS[i]} == -* ]] || { command=${COMP_WORDS[i]}; break; }
  done
  help=$("$1" ${command:+"$command"} --help 2>/dev/null) || return 0
  if [[ $word == -* ]]; then
    _lunfs_offer "$(grep -o '^  -[^ ]*' <<<"$help" | tr ',' '\n')" "$word"
  elif [[ -z $command ]]; then
    _lunfs_offer "$(sed -n '/^Subcommands:/,$ s/^  \([a-z][a-z-]*\).*/\1/p' <<<"$help")" "$word"
  else
    _lunfs_offer_files -f -- "$word"
  fi
}
complete -F _lunfs_tool lunfs-iqn lunfs-sr lunfs-vdi

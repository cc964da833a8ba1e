#!/usr/bin/env zsh
# What zsh's completion offers at the end of a line, one word a line.
#
#   zsh_offers.zsh FOLDER LINE     FOLDER has the completion functions
#
# Completion works in a line editor only, so a zsh on a terminal of its own is given the line and a
# tab; there the builtin that adds matches is wrapped by a function that notes them. Calls with -O, -A
# or -D only ask which words match, and offer none.
emulate -L zsh
zmodload zsh/zpty || exit 1
typeset folder=$1 line=$2 text

zpty shell zsh -f -i
send() { zpty -w shell "$1"; }
# await WORD: sets text to what came before it; 20 s at most
await() {
  local part
  integer end=$((SECONDS + 20))
  text=
  while ((SECONDS < end)); do
    while zpty -r -t shell part; do text+=$part; done
    [[ $text == *$1* ]] && { text=${text%%$1*}; return 0 }
    sleep 0.05
  done
  print -u2 -r -- "no $1 in: $text"
  exit 1
}

send "PS1= PS2= RPS1=; stty -echo; unsetopt prompt_cr prompt_sp zle_bracketed_paste; TERM=dumb; unset zle_bracketed_paste"
send "fpath=(${(q)folder} \$fpath); autoload -Uz compinit; compinit -u -D"
send 'compadd() {
  local -a found
  local word
  for word in "$@"; do
    [[ $word == (-|--) ]] && break
    [[ $word =~ "^-[a-zA-Z]*[OAD]" ]] && { builtin compadd "$@"; return }
  done
  builtin compadd -O found "$@"
  for word in $found; do print -r -- "offer:$IPREFIX${word}:end"; done
  builtin compadd "$@"
}
offers() { print begin-of-offers; zle complete-word; print end-of-offers; exit }
zle -N offers
bindkey "^I" offers
print shell-is-"ready"'
await shell-is-ready
zpty -n -w shell "$line"$'\t'
await end-of-offers
print -r -- "${text#*begin-of-offers}" | tr -d '\r' | sed -n 's/^.*offer:\(.*\):end$/\1/p' | sort -u
zpty -d shell

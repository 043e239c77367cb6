# How scripts that change certificates speak, and put files in their places. A part of other scripts.
say() { printf '%s %s\n' "$(date -u +%H:%M:%S)" "$1"; }
refuse() {
  printf '%s\n' "$1" >&2
  exit 1
}
settled() { sync -f "$1" 2> /dev/null || sync; } # the file system of this one alone, where that can be said
is_open() { # BACKUP: whether the renewal that made it was not seen to its end, and is to be gone on with
  # However long ago that was: while anything is «renewing», a key may lie beside another's certificate, and no
  # backup of that would be worth going back to. But when kubeadm had done all that it was told to, the pairs were
  # whole; what was written after that is another's (an upgrade renews, too), and what there was before that run
  # may have ended long ago.
  [ -e "$1/open" ] || return 1
  [ ! -e "$1/renewing" ] || return 0
  [ -z "$(find -L "$(cat "$1/folder")" -maxdepth 2 -name '*.crt' -newer "$1/open" 2> /dev/null)" ]
}
in_place() { # FRESH FILE: the one takes the other's place, whole or not at all
  chcon --reference="$2" "$1" 2> /dev/null || : # where there is SELinux
  settled "$1"
  mv -f -- "$1" "$2"
}

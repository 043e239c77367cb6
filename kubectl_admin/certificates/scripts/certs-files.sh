# How scripts that change certificates speak, and put files in their places. A part of other scripts.
say() { printf '%s %s\n' "$(date -u +%H:%M:%S)" "$1"; }
refuse() {
  printf '%s\n' "$1" >&2
  exit 1
}
settled() { sync -f "$1" 2> /dev/null || sync; } # the file system of this one alone, where that can be said
in_place() { # FRESH FILE: the one takes the other's place, whole or not at all
  chcon --reference="$2" "$1" 2> /dev/null || : # where there is SELinux
  settled "$1"
  mv -f -- "$1" "$2"
}

# A part of other scripts: files that are replaced, and put back if the rest fails, also by a later run.
# $state/replaced/N holds of each: its path, its former content (nothing: it was not there), its present one.
# shellcheck disable=SC2154 # the scripts say $state: where things are kept

# Replaces PATH by the content of NEW, keeping mode and owner. replace PATH NEW
replace() {
  replaced=$(readlink -f -- "$1")
  note=$state/replaced/$(printf '%s' "$replaced" | tr / +)
  # Somebody has changed it since an earlier run was killed: its content then is past.
  if [ -e "$note/path" ] && ! cmp -s -- "$replaced" "$note/is"; then
    if [ ! -e "$note/was" ] || ! cmp -s -- "$replaced" "$note/was"; then rm -rf -- "$note"; fi
  fi
  if [ ! -e "$note/path" ]; then
    rm -rf -- "$note"
    mkdir -p -- "$note"
    if [ -e "$replaced" ]; then cp -p -- "$replaced" "$note/was"; fi
  fi
  cp -- "$2" "$note/is"
  printf '%s\n' "$replaced" > "$note/path.part"
  # Its former and its present content, too.
  for noted in "$note"/*; do on_disk "$noted"; done
  mv -- "$note/path.part" "$note/path"
  put_into_place "$replaced" "$2"
}

# put_into_place PATH NEW
put_into_place() {
  # A name that no package manager reads. The leftover of a killed run may hold a password.
  rm -f -- "${1%/*}"/.kubectl-admin.??????
  fresh=$(mktemp "${1%/*}/.kubectl-admin.XXXXXX")
  if [ -e "$1" ]; then cp -p -- "$1" "$fresh"; else chmod 644 "$fresh"; fi
  cat -- "$2" > "$fresh"
  on_disk "$fresh"
  mv -f -- "$fresh" "$1"
}

# Puts back each file that is still as it was made here.
put_back_replaced() {
  for note in "$state"/replaced/*/; do
    note=${note%/}
    if [ -e "$note/path" ]; then
      read -r replaced < "$note/path"
      if cmp -s -- "$replaced" "$note/is"; then
        if [ -e "$note/was" ]; then put_into_place "$replaced" "$note/was"; else rm -f -- "$replaced"; fi
        echo "$replaced is as it was before"
      fi
    fi
  done
  forget_replaced
}

forget_replaced() { rm -rf -- "$state/replaced"; }

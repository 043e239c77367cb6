# Lists the directories of operations with who they belong to, and whether the operation's unit still runs, or pack.sh
# sends a file from there («yes»), or not («no»); «over» for one whose unit has run and does not any more, and has said
# by a file «bound» that without it the directory is of no use.
# leftovers.sh STATE [DATA]
#   STATE: the directory of all operations' directories
#   DATA: etcd's data directory; whatever restores have put aside in it is an «aside NAME» a line
set -eu

. ./unit.sh
. ./aside.sh

for directory in "$1"/*/; do
  directory=${directory%/}
  id=${directory##*/}
  # A directory with another kind of name was not made here, and backups of certificates are not leftovers.
  case $id in certificates | *[!A-Za-z0-9._-]*) continue ;; esac
  if [ ! -d "$directory" ] || [ -L "$directory" ]; then continue; fi
  active=no
  # Before the unit is asked: it makes the file itself.
  if [ -e "$directory/bound" ]; then active=over; fi
  settle_unit "kubectl-admin-$id.service"
  if [ "$unit_is" = running ]; then active=yes; fi
  for packer in "$directory"/packing.*; do
    if [ -d "$packer" ] && kill -0 "${packer##*.}" 2> /dev/null; then active=yes; fi
  done
  printf '%s %s %s\n' "$id" "$active" "$(head -n 1 -- "$directory/owner" 2> /dev/null || :)"
done
case ${2-} in
  /?*)
    for directory in "$2"/.kubectl-admin-*; do
      if is_aside "$directory"; then printf 'aside %s\n' "${directory##*/}"; fi
    done
    ;;
esac
printf '\n# end\n'

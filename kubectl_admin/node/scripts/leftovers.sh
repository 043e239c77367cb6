# Lists the folders of operations with who they belong to, and whether the operation's unit still runs.
# leftovers.sh STATE
#   STATE: the folder of all operations' folders
set -eu
for folder in "$1"/*/; do
  [ -d "$folder" ] || continue
  id=$(basename -- "$folder")
  active=no
  if command -v systemctl > /dev/null && systemctl is-active --quiet "kubectl-admin-$id.service" 2> /dev/null; then
    active=yes
  fi
  printf '%s %s %s\n' "$id" "$active" "$(cat -- "$folder/owner" 2> /dev/null || true)"
done
printf '\n# end\n'

# Ends the unit of an operation, if it has one, and removes its folder.
# discard.sh STATE ID
set -eu
if command -v systemctl > /dev/null && systemctl is-active --quiet "kubectl-admin-$2.service" 2> /dev/null; then
  systemctl stop "kubectl-admin-$2.service"
fi
rm -rf -- "${1:?}/${2:?}"
rmdir -- "$1" 2> /dev/null || true
printf '\n# end\n'

# Makes the directory of an operation, for root alone, and says who it belongs to.
# workspace.sh DIRECTORY OWNER
set -eu
umask 077
mkdir -p -- "$1"
printf '%s\n' "$2" > "$1/owner.part"
mv -- "$1/owner.part" "$1/owner"
printf '\n# end\n'

# Hands the files of an opening over to its unit, which then makes the database and runs the programs.
# past-go.sh DIRECTORY UNIT
# Standard input has files of the directory, «NAME BASE64» a line, and a last line «end».
# Answers «going»; «shared» where the unit has no network of its own, «ended» where it does not run any more: then
# nothing is opened.
set -eu

. ../../node/scripts/unit.sh
. ./past-network.sh

directory=$1 unit=$2
umask 077
whole=no
while read -r name content; do
  if [ "$name" = end ]; then
    whole=yes
    break
  fi
  case $name in */* | .* | '') exit 1 ;; esac
  [ -d "$directory" ] || continue
  printf '%s' "$content" | base64 -d > "$directory/$name"
done
cat > /dev/null
# Of a stream that was cut, the rest comes with the next attempt.
if [ "$whole" = no ]; then
  echo 'the files have not come whole' >&2
  exit 143
fi

# Whether it is known what has become of the unit.
is_settled() {
  ask_unit "$unit"
  ask_network "$directory"
  [ "$unit_is" = ended ] || { [ "$unit_is" = running ] && [ -n "$network" ]; }
}
until_answered "tell whether $unit has a network of its own" "systemctl status $unit" is_settled
if [ "$unit_is" = ended ] || [ ! -d "$directory" ]; then
  printf 'ended\n# end\n'
elif [ "$network" = shared ]; then
  printf 'shared\n# end\n'
else
  : > "$directory/go"
  printf 'going\n# end\n'
fi

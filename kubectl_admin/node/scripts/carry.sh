# Carries bytes between the standard streams and an address, by whatever a host has for that. A part of other scripts.

# carry ADDRESS PORT [COMMAND]...
#   COMMAND: what is before the program that carries, as «nsenter --net=…»
carry() {
  carry_address=$1 carry_port=$2
  shift 2
  if command -v bash > /dev/null; then
    # «wait -n» may miss a program that has ended before it is asked, so each is waited for by its number: the outer
    # shell for what comes from the address, the inner one for what goes there.
    # shellcheck disable=SC2016 # the other shell expands it
    exec "$@" bash -c '
      exec 3<> "/dev/tcp/$1/$2" || exit 1
      cat <&3 &
      from=$!
      (
        # A signal is lost on a child that is not the other program yet.
        trap "while kill \$!; do sleep 0.1; done; exit" TERM
        cat <&0 >&3 &
        wait $!
        kill $from
      ) <&0 2> /dev/null &
      wait $from 2> /dev/null
      kill $! 2> /dev/null
      exit 0
    ' relay "$carry_address" "$carry_port"
  fi
  if command -v socat > /dev/null; then
    case $carry_address in
      *:*) exec "$@" socat - "TCP6:[$carry_address]:$carry_port" ;;
      *) exec "$@" socat - "TCP4:$carry_address:$carry_port" ;;
    esac
  fi
  if command -v nc > /dev/null; then
    exec "$@" nc "$carry_address" "$carry_port"
  fi
  echo 'its host has none of bash, socat and nc' >&2
  exit 127
}

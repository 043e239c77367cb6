# A part of other scripts: whether the kubelet that was just started stays.
# shellcheck disable=SC2034 # $trouble is for them

STAYS=10 # seconds; a fault that ends a kubelet at its start (a flag, its configuration, the runtime) does it within a few
ANSWERS=60 # seconds in which it must have said that it is well

# Returns 0 when the kubelet is the same process, never restarted, for some seconds, and says that it is well where it
# can be asked; else says what is wrong in $trouble. Where systemd does not answer, the script ends with 1.
kubelet_stays() {
  waited=0 born=
  while :; do
    settle_unit kubelet
    settle_process kubelet
    born=${born:-$process $restarts}
    if [ "$unit_is" = ended ] || [ "$process" = 0 ] || [ "$process $restarts" != "$born" ]; then
      trouble="the kubelet exited within $waited seconds of its start: $(kubelet_last_words)"
      return 1
    fi
    well=$(kubelet_is_well)
    case $well in
      no | silent) if [ "$waited" -ge "$ANSWERS" ]; then break; fi ;;
      *) if [ "$waited" -ge "$STAYS" ]; then break; fi ;;
    esac
    sleep 1
    waited=$((waited + 1))
  done
  if [ "$well" = no ]; then
    trouble="the kubelet runs, but its healthz still fails after $ANSWERS seconds"
    return 1
  elif [ "$well" = silent ]; then
    # It may listen elsewhere than its files say; the API server hears of it in any case.
    echo "the kubelet runs, but nothing answers at its healthz port"
  fi
}

# «yes» or «no» by its own answer, «silent» where none comes, «unknown» where it serves none or nothing here can ask.
kubelet_is_well() {
  asked=$(kubelet_healthz)
  code=0
  if [ -z "$asked" ]; then
    code=127
  elif command -v curl > /dev/null; then
    curl -fs --noproxy '*' --max-time 5 "$asked" > /dev/null 2>&1 || code=$?
  elif command -v wget > /dev/null; then
    # Not each wget knows --no-proxy, and units may be given a proxy by systemd's DefaultEnvironment.
    refusal=$(env -u http_proxy -u HTTP_PROXY -u all_proxy -u ALL_PROXY wget -q -T 5 -O /dev/null "$asked" 2>&1) ||
      code=$?
    # GNU's says with 8 what curl does with 22, that an HTTP error was answered; busybox' says it in words.
    case $code:$refusal in 8:* | *"server returned error: HTTP/"*) code=22 ;; esac
  else
    code=127
  fi
  case $code in
    0) echo yes ;;
    22) echo no ;;
    12[6-9] | 1[3-9]? | 2??) echo unknown ;; # it could not be run, or was killed
    *) echo silent ;;
  esac
}

# The address of its healthz; nothing where that is switched off. A child, since kubelet.sh has names of its own.
kubelet_healthz() (
. ../../node/scripts/kubelet.sh
  port=$(flag healthz-port) bind=$(flag healthz-bind-address)
  port=${port:-$(setting healthzPort)} bind=${bind:-$(setting healthzBindAddress)}
  port=${port:-10248} bind=${bind:-127.0.0.1}
  case $bind in
    0.0.0.0) bind=127.0.0.1 ;;
    ::) bind=::1 ;;
  esac
  case $bind in *:*) bind="[$bind]" ;; esac
  if [ "$port" != 0 ]; then printf 'http://%s:%s/healthz\n' "$bind" "$port"; fi
)

# Its last words, in a line.
kubelet_last_words() {
  words=$(journalctl -u kubelet -n 40 -o cat 2> /dev/null | grep -E '^[EF][0-9]{4} |^[Ee]rror|[Ff]ailed to run' |
    tail -n 1 | cut -c 1-300) || :
  printf '%s' "${words:-see journalctl -u kubelet}"
}

# A part of other scripts: whether the kubelet that was just started stays.
# shellcheck disable=SC2034 # $trouble is for them

STAYS=10 # seconds; what ends a kubelet at its start (a flag, its configuration, the runtime) does it within a few
ANSWERS=60 # seconds in which it must have said that it is well

# Returns 0 when the kubelet is the same process, never restarted, for some seconds, and says that it is well where it
# can be asked; else says what is wrong in $trouble.
kubelet_stays() {
  born=$(kubelet_process)
  waited=0 well=$(kubelet_is_well)
  while [ "$waited" -lt "$STAYS" ] || { [ "$well" = no ] && [ "$waited" -lt "$ANSWERS" ]; }; do
    sleep 1
    waited=$((waited + 1))
    if ! systemctl is-active --quiet kubelet || [ "$(kubelet_process)" != "$born" ]; then
      trouble="the kubelet ends within $waited seconds of its start: $(kubelet_last_words)"
      return 1
    fi
    well=$(kubelet_is_well)
  done
  if [ "$well" = no ]; then
    trouble="the kubelet runs, but does not say within $ANSWERS seconds that it is well"
    return 1
  fi
}

# Which process it is, and how often systemd has restarted it by itself.
kubelet_process() { systemctl show --property=MainPID --property=NRestarts kubelet; }

# «yes», «no», or «unknown» where it serves no such answer or nothing here can ask.
kubelet_is_well() {
  asked=$(kubelet_healthz)
  if [ -z "$asked" ]; then
    echo unknown
  elif command -v curl > /dev/null; then
    if curl -fs --noproxy '*' --max-time 5 "$asked" > /dev/null 2>&1; then echo yes; else echo no; fi
  elif command -v wget > /dev/null; then
    if wget -q -T 5 -O - "$asked" > /dev/null 2>&1; then echo yes; else echo no; fi
  else
    echo unknown
  fi
}

# The address of its healthz; nothing where that is switched off. A child, since kubelet.sh has names of its own.
kubelet_healthz() (
. ./kubelet.sh
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

# What it wrote last, in a line.
kubelet_last_words() {
  words=$(journalctl -u kubelet -n 40 -o cat 2> /dev/null | grep -E '^[EF][0-9]{4} |^[Ee]rror|[Ff]ailed to run' |
    tail -n 1 | cut -c 1-300) || :
  printf '%s' "${words:-journalctl -u kubelet says why}"
}

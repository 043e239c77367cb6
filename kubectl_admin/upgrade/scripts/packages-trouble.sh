# A part of other scripts: a package manager's many words about a repository as one sentence.

refuse() {
  printf '%s\n' "$1" >&2
  exit 1
}

# The first line of a file that says why, or the last one.
reason() {
  # dpkg names the package on a line, and what is wrong with it on the next.
  why=$(sed -n '/^dpkg: error processing .*:$/{ n; s/^ *//p; }' "$1" | sed -n 1p)
  [ -n "$why" ] || why=$(sed -n 's/^[EW]: *//p; s/^[Ee]rror: *//p; s/^Error message: *//p; s/^.*: error: *//p' "$1" | sed -n 1p)
  printf '%s' "${why:-$(grep -v '^ *$' "$1" | tail -n 1)}" | without_password
}

# « (404 Not Found)», if that is in a file.
status_in() { sed -n 's/^.*[^0-9]\(4[0-9][0-9]\)  *\([A-Z][A-Za-z ]*[a-z]\).*$/ (\1 \2)/p' "$1" | sed -n 1p; }

# Refuses where a list was not fetched, or is not trusted.
# apt_list_trouble SAID CODE ADDRESS
#   SAID: apt-get's words. Its exit code is 0 also where it uses an old list.
apt_list_trouble() {
  if [ "$2" = 0 ] && ! grep -Eq '^(Err:|E: |W: (Failed to fetch|An error occurred|GPG error|.* is not signed))' "$1"; then
    return
  fi
  list_trouble "$1" "$3"
}

# The same for dnf and zypper.
rpm_list_trouble() {
  if [ "$2" = 0 ]; then return; fi
  list_trouble "$1" "$3"
}

list_trouble() {
  said_is() { grep -Eqi -- "$1" "$trouble"; }
  trouble=$1
  if said_is 'Release file for .* is expired|is not valid yet'; then
    refuse "$2: its lists are out of date, or this host's clock is wrong: $(reason "$1")"
  elif said_is 'EXPKEYSIG|KEYEXPIRED|key[^.]*expired|expired (key|on)|not alive'; then
    refuse "$2: this host's copy of its signing key has expired"
  elif said_is 'NO_PUBKEY|missing key|public key is not available|no public key|unknown key|signing key received|key[^.]* not (found|known)'; then
    refuse "$2: this host does not have its signing key"
  elif said_is 'keyring .*(unreadable|not readable|unsupported)|is not readable by|invalid key'; then
    refuse "$2: this host's copy of its signing key can't be read: $(reason "$1")"
  elif said_is 'BADSIG|invalid signature|bad (GPG )?signature|signature verification (failed|error)|REVKEYSIG|revoked'; then
    refuse "$2: its signature is wrong: $(reason "$1")"
  elif said_is "connection failed|failed to connect|could.?n.t connect|could not resolve"; then
    refuse "$2: it can't be reached: $(reason "$1")"
  elif said_is 'HTTP response: [45]|Status code: (4|5)[0-9]|(^|[^0-9])(401|403|404|410) |error code: 4|not found on medium|file not found|valid metadata not found'; then
    refuse "$2: there is no such repository, or this host may not read it$(status_in "$1")"
  elif said_is 'resolv|connect|timed? ?out|unreachable|network|curl error|handshake|TLS|SSL|certificate|no route'; then
    refuse "$2: it can't be reached: $(reason "$1")"
  elif said_is 'not signed|unsigned|no signature|signature file'; then
    refuse "$2: its signature is missing"
  fi
  refuse "$2: its lists can't be fetched: $(reason "$1")"
}

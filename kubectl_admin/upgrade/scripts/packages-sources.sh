# A part of other scripts: the files in which this host's package manager finds Kubernetes' repository.

# Which package manager this host is kept by; others may be installed beside it.
manager=none
if [ -e /run/ostree-booted ]; then
  : # an image: packages are not how it is changed
elif [ -s /var/lib/dpkg/status ] && command -v apt-get > /dev/null; then
  manager=apt
elif command -v zypper > /dev/null; then
  manager=zypper
elif command -v dnf > /dev/null; then
  manager=dnf
fi

# The files that it reads, a line each. Of other names apt takes no notice.
source_files() {
  case $manager in
    apt) set -- /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources ;;
    dnf) set -- /etc/yum.repos.d/*.repo ;;
    zypper) set -- /etc/zypp/repos.d/*.repo ;;
    *) set -- ;;
  esac
  for source_file in "$@"; do
    case ${source_file##*/} in *[!A-Za-z0-9_.-]*) continue ;; esac
    if [ -f "$source_file" ] && [ -r "$source_file" ]; then printf '%s\n' "$source_file"; fi
  done
}

# Reads Kubernetes' repositories in a file: of those entries that are enabled and name /v1.NN/deb or /v1.NN/rpm.
# sources TASK FILE [FROM TO [KEY]]
#   minors: the minor of each. With FROM and TO, two minors, of the entries of FROM alone:
#   moved: the whole file, with those entries moved to TO. entries: they alone, moved, no package excluded; signed
#   by KEY, if that is named. addresses: their addresses, moved. keys: the files or addresses of their keys, moved.
#   ids: the names of their sections. excluded: the packages that they leave out. checked: whether signatures are
# CRI-O's repositories have the same shape, and its own minors: they are left alone.
sources() {
  awk -v task="$1" -v from="${3:-}" -v to="${4:-}" -v key="${5:-}" -v name="$2" '
    BEGIN {
      format = name ~ /\.repo$/ ? "repo" : name ~ /\.sources$/ ? "sources" : "list"
      kind = format == "repo" ? "rpm" : "deb"
      count = 0
    }
    { sub(/\r$/, "") }
    format == "list" { line_entry($0); next }
    # A stanza or a section is judged as a whole, when it is there.
    format == "sources" && /^[ \t]*$/ { stanza(); if (task == "moved") print; next }
    format == "repo" && /^\[/ { stanza() }
    { lines[++count] = $0 }
    END { if (format != "list") stanza() }

    function minor_of(text,   found) {
      if (tolower(text) ~ /(^|[^a-z])cri-?o([^a-z]|$)/) return ""
      if (! match(text, "/v1\\.[0-9]+/" kind "(/|[ \t,]|$)")) return ""
      found = substr(text, RSTART + 4)
      sub(/\/.*/, "", found)
      return found
    }
    function moved(text,   done) {
      if (minor_of(text) == "") return text
      done = ""
      while (match(text, "/v1\\." from "/" kind "(/|[ \t,]|$)")) {
        done = done substr(text, 1, RSTART + 3) to
        text = substr(text, RSTART + 4 + length(from))
      }
      return done text
    }
    function words_of(text, each,   number, i) { # each word on a line
      number = split(text, each, /[ \t,]+/)
      for (i = 1; i <= number; i++) if (each[i] != "") print each[i]
    }
    function line_entry(line,   head, rest, tail, options, minor) {
      minor = ""
      if (match(line, /^[ \t]*deb[ \t]+(\[[^]]*\][ \t]*)?/)) {
        head = substr(line, 1, RLENGTH)
        rest = substr(line, RLENGTH + 1)
        tail = match(rest, /[ \t]/) ? substr(rest, RSTART) : ""
        rest = substr(rest, 1, length(rest) - length(tail))
        minor = minor_of(rest)
      }
      if (task == "minors") { if (minor != "") print minor; return }
      if (minor == "" || minor != from) { if (task == "moved") print line; return }
      rest = moved(rest)
      if (task == "addresses") { print rest; return }
      options = head
      if (! sub(/^[^[]*\[[ \t]*/, "", options)) options = ""
      sub(/[ \t]*\][ \t]*$/, "", options)
      if (task == "keys") {
        if (match(options, /(^|[ \t])[Ss]igned-[Bb]y\+?=[^ \t]*/)) {
          options = substr(options, RSTART, RLENGTH)
          sub(/^[^=]*=/, "", options)
          words_of(options)
        }
        return
      }
      if (key != "") {
        gsub(/(^|[ \t])[Ss]igned-[Bb]y\+?=[^ \t]*/, "", options)
        head = "deb [" options " signed-by=" key "] "
      }
      if (task == "moved" || task == "entries") print head rest tail
    }
    function stanza(   i, field, value, on, types, addresses, minor, ours, words, number) {
      on = 1; types = format == "repo"; field = ""; minor = ""; ours = 0; number = 0
      for (i = 1; i <= count; i++) {
        fields[i] = ""
        if (lines[i] ~ /^[ \t]*[#;]/) continue
        if (lines[i] ~ /^[ \t]/) value = lines[i]
        else if (match(lines[i], format == "repo" ? "^[^=[]+=" : "^[A-Za-z0-9-]+[ \t]*:")) {
          field = tolower(substr(lines[i], 1, RLENGTH - 1))
          gsub(/[ \t]/, "", field)
          value = substr(lines[i], RLENGTH + 1)
        } else continue
        fields[i] = field; values[i] = value
        if (field == "enabled" && tolower(value) ~ /^[ \t]*(0|no|n|false|off|without|disable)[ \t]*$/) on = 0
        if (field == "types" && value ~ /(^|[ \t])deb([ \t]|$)/) types = 1
        if (field ~ /^(uris|baseurl|mirrorlist|metalink)$/ && minor_of(value) != "") {
          minor = minor_of(value)
          if (minor == from) ours = 1
          if (task == "minors") found[++number] = minor
        }
      }
      if (task == "minors") {
        if (on && types) for (i = 1; i <= number; i++) print found[i]
      } else if (on && types && ours) for (i = 1; i <= count; i++) judge(i)
      else if (task == "moved") for (i = 1; i <= count; i++) print lines[i]
      if (task == "entries" && on && types && ours) print ""
      count = 0
    }
    function judge(i,   value) {
      value = values[i]
      if (task == "moved") print fields[i] == "" ? lines[i] : moved(lines[i])
      else if (task == "ids" && lines[i] ~ /^\[/) { value = lines[i]; gsub(/^\[|\].*$/, "", value); print value }
      else if (task == "addresses" && fields[i] ~ /^(uris|baseurl)$/) words_of(moved(value))
      else if (task == "keys" && fields[i] ~ /^(signed-by|gpgkey)$/) words_of(moved(value))
      else if (task == "checked" && fields[i] == "gpgcheck") words_of(value)
      else if (task == "excluded" && fields[i] ~ /^(exclude|excludepkgs)$/) words_of(value)
      else if (task == "entries" && fields[i] !~ /^(exclude|excludepkgs)$/) {
        if (key == "" || fields[i] !~ /^(signed-by|gpgkey)$/) print moved(lines[i])
        # The first line of the field counts for all of them.
        else if (lines[i] !~ /^[ \t]/) print format == "repo" ? "gpgkey=file://" key : "Signed-By: " key
      }
    }
  ' "$2"
}

# A «source FILE MINOR» a line.
source_minors() {
  source_files | while IFS= read -r source_file; do
    sources minors "$source_file" | sort -un | while read -r source_minor; do
      printf 'source %s %s\n' "$source_file" "$source_minor"
    done
  done
}

# The minor whose entries are to be moved to MINOR: itself, if it is there already, else the newest; none: nothing.
moving_minor() {
  source_minors | sed 's/.* //' | sort -n | awk -v wanted="$1" '
    $1 == wanted { there = 1 }
    { newest = $1 }
    END { if (there) print wanted; else if (NR) print newest }'
}

# The files with entries of MINOR.
files_of_minor() { source_minors | sed -n "s/^source \\(.*\\) $1\$/\\1/p"; }

# Addresses as they may be shown and written down: stdin without the part before «@» in them.
without_password() { sed 's|\(://\)[^/@ ]*@|\1|g'; }

# The first that TASK finds in any of the files, moved from one minor to another.
# first_of TASK FROM TO
first_of() {
  files_of_minor "$2" | while IFS= read -r source_file; do
    sources "$1" "$source_file" "$2" "$3"
  done | sed -n 1p
}

# The static pods of this host, by their manifests. A part of restore-local.sh.
# shellcheck disable=SC2154,SC2034 # what that sets and uses

# The block style that kubeadm writes, and nothing else of YAML: whatever is not understood is «unread», which is refused
# where it may be about the control plane. Answers, for a manifest:
#   part COMPONENT       each of the four that it starts: by its label in kube-system, and by its programs
#   unread LINE          what could not be read
# and of a file that starts one of the four: containers COUNT, image IMAGE, flag NAME=VALUE, odd WORD (of the command line, or a
# variable of etcd), mount INSIDE HOST, probe HOST PORT SCHEME PATH (how it is seen ready).
# read_manifest FILE
read_manifest() {
  awk '
    function bad(why) { if (!broken) print "unread line " NR ": " why; broken = 1; exit }
    function path(level,  text, at) {
      for (at = 1; at <= level; at++) text = text (at > 1 ? "|" : "") name[at]
      return text
    }
    # A scalar. What is not plain or simply quoted ends the reading.
    function scalar(text,  first, last) {
      first = substr(text, 1, 1)
      last = substr(text, length(text))
      if (first == quote || first == "\"") {
        if (length(text) < 2 || last != first) { sub(/[ ]+#.*$/, "", text); last = substr(text, length(text)) }
        if (length(text) < 2 || last != first) bad("a text that does not end there")
        text = substr(text, 2, length(text) - 2)
        if (first == "\"" && text ~ /["\\]/) bad("an escaped text")
        if (first == quote) {
          gsub(quote quote, "\001", text)
          if (index(text, quote)) bad("a text that ends before its line")
          gsub("\001", quote, text)
        }
        return text
      }
      sub(/[ ]+#.*$/, "", text)
      if (text == "{}" || text == "[]" || text == "null" || text == "~") return ""
      if (text ~ /^[][{}&*!|>%@`#,?]/ || text ~ /: / || text ~ /:$/) bad("more than kubeadm writes")
      return text
    }
    function pair(level, text,  at) {
      at = path(level)
      if (at in value) bad("the same twice: " at)
      value[at] = scalar(text)
      waits = 0
    }
    # The entry at this depth: its keys and items below are dropped.
    function entry(indent, text,  key, width) {
      if (text ~ /^-( |$)/) {
        while (depth && (depths[depth] > indent)) depth--
        if (depth && kind[depth] == "seq" && depths[depth] == indent) {
          name[depth]++
        } else {
          if (!depth || !waits) bad("a list that belongs to nothing")
          depth++
          depths[depth] = indent
          kind[depth] = "seq"
          name[depth] = 0
        }
        items[path(depth - 1)] = name[depth] + 1
        width = 1
        while (substr(text, width + 1, 1) == " ") width++
        text = substr(text, width + 1)
        waits = 1
        if (text == "") return
        if (text ~ /^-( |$)/) bad("a list of lists")
        if (is_key(text)) { entry(indent + width, text); return }
        pair(depth, text)
        return
      }
      if (!is_key(text)) bad("a line that is no key and no item")
      while (depth && (depths[depth] > indent || (depths[depth] == indent && kind[depth] == "seq"))) depth--
      key = text
      sub(/:( .*)?$/, "", key)
      if (text ~ /^["\047]/) {
        match(text, /^["\047][^"\047]*["\047]/)
        key = substr(text, 2, RLENGTH - 2)
        text = substr(text, RLENGTH + 1)
      } else {
        match(text, /:( |$)/)
        key = substr(text, 1, RSTART - 1)
        text = substr(text, RSTART)
      }
      if (key !~ /^[A-Za-z0-9_.\/-]+$/) bad("a key that kubeadm does not write")
      if (!(depth && kind[depth] == "map" && depths[depth] == indent)) {
        if (depth && !waits) bad("keys that belong to nothing")
        if (!depth && indent) bad("it does not begin at the left")
        depth++
        depths[depth] = indent
        kind[depth] = "map"
      }
      name[depth] = key
      if (path(depth) in keys) bad("the same twice: " path(depth))
      keys[path(depth)] = 1
      text = substr(text, 2)
      sub(/^ +/, "", text)
      waits = 1
      if (text != "" && text !~ /^#/) pair(depth, text)
    }
    function is_key(text) {
      return text ~ /^[A-Za-z0-9_.\/-]+:( |$)/ || text ~ /^"[^"]*":( |$)/ || text ~ /^\047[^\047]*\047:( |$)/
    }
    function is_part(word) {
      return word == "etcd" || word == "kube-apiserver" || word == "kube-controller-manager" || word == "kube-scheduler"
    }
    function program(at) {
      if ((at "|command|0") in value) at = value[at "|command|0"]
      else if ((at "|args|0") in value) at = value[at "|args|0"]
      else at = value[at "|name"]
      sub(/^.*\//, "", at)
      return at
    }
    BEGIN { quote = sprintf("%c", 39) }
    { sub(/\r$/, "") }
    NR == 1 && /^---[ ]*$/ { next }
    /^[ ]*(#.*)?$/ { next }
    /^[ ]*\t/ || /^(---|\.\.\.)/ || /[\001-\010\013-\037]/ { bad("more than one block of YAML") }
    {
      match($0, /^ */)
      rest = substr($0, RLENGTH + 1)
      sub(/ +$/, "", rest)
      entry(RLENGTH, rest)
    }
    END {
      if (broken) exit
      if (value["kind"] != "Pod") { print "unread it is no Pod"; exit }
      for (each = 0; each < items["spec|containers"]; each++) started[program("spec|containers|" each)] = 1
      if (value["metadata|namespace"] == "kube-system") started[value["metadata|labels|component"]] = 1
      for (word in started) if (is_part(word)) print "part " word
      print "containers " items["spec|containers"] + items["spec|initContainers"]
      at = "spec|containers|0"
      print "image " value[at "|image"]
      print "program " program(at)
      total = 0
      for (each = 0; each < items[at "|command"]; each++) words[++total] = value[at "|command|" each]
      for (each = 0; each < items[at "|args"]; each++) words[++total] = value[at "|args|" each]
      for (each = 2; each <= total; each++) {
        if (words[each] ~ /^--[A-Za-z0-9_-]+=/) print "flag " substr(words[each], 3)
        else if (words[each] ~ /^--[A-Za-z0-9_-]+$/) print "flag " substr(words[each], 3) "=true"
        else print "odd " words[each]
      }
      for (each = 0; each < items[at "|env"]; each++) print "variable " value[at "|env|" each "|name"]
      if ((at "|envFrom") in keys) print "variable ETCD_ of another object"
      for (each = 0; each < items["spec|volumes"]; each++) {
        on = "spec|volumes|" each
        if ((on "|hostPath|path") in value) places[value[on "|name"]] = value[on "|hostPath|path"]
      }
      for (each = 0; each < items[at "|volumeMounts"]; each++) {
        on = at "|volumeMounts|" each
        if ((on "|subPath") in value) print "odd a mount with a subPath"
        print "mount " value[on "|mountPath"] " " places[value[on "|name"]]
      }
      for (each = 0; each < items[at "|ports"]; each++)
        ports[value[at "|ports|" each "|name"]] = value[at "|ports|" each "|containerPort"]
      on = at "|readinessProbe|httpGet|"
      if ((on "port") in value) {
        port = value[on "port"]
        if (port in ports) port = ports[port]
        print "probe " value[on "host"] " " port " " tolower(value[on "scheme"]) " " value[on "path"]
      }
    }' "$1"
}

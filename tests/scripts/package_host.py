"""A host with stand-ins for its package managers: small programs that keep a journal and a state in files."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from kubectl_admin.node.script import END
from tests.fakes.host import Shell, script_named

STATE = "/var/lib/kubectl-admin/upgrade"
NAMES = ("kubeadm", "kubelet", "kubectl")
HEAD = """#!/bin/sh
printf '%s\\n' "${0##*/} $*" >> STATE/journal
# A test says what goes wrong, and when: the words in a file, or that everything is killed.
if [ -e "STATE/fail ${0##*/}" ]; then
  case " $*" in *" $(sed -n 1p "STATE/fail ${0##*/}")"*)
    sed 1d "STATE/fail ${0##*/}"
    if [ -e STATE/once ]; then rm STATE/once "STATE/fail ${0##*/}"; fi
    exit 100 ;;
  esac
fi
may_be_killed() {
  if [ -e STATE/kill ] && [ "$(cat STATE/kill)" = "$1" ]; then rm STATE/kill; kill -9 0; fi
}
installed() { printf '%s' "$2" > "STATE/installed/$1"; }
held() { for name in "$@"; do if ! grep -qx "$name" STATE/holds; then echo "$name" >> STATE/holds; fi; done; }
free() { grep -vx "$1" STATE/holds > STATE/part; mv STATE/part STATE/holds; }
"""
PROGRAMS = {
    "dpkg-query": 'for name; do :; done; [ -e "STATE/installed/$name" ] || exit 1\n'
    'printf "ii |%s\\n" "$(cat "STATE/installed/$name")"',
    "dpkg": ":",
    "apt-mark": "case $1 in showhold) cat STATE/holds ;;\n"
    'hold) may_be_killed "hold $2"; shift; held "$@"; may_be_killed "held $1" ;; esac',
    "apt-cache": 'for name; do :; done; printf " %s | %s | http://x\\n" "$name" "$(cat STATE/offered)"',
    "apt-get": """
archives=. download=no command= packages=
while [ $# -gt 0 ]; do
  case $1 in
    -o) case $2 in
        Dir::Cache::archives=*) archives=${2#*=} ;;
        Dir::Etc::sourceparts=*) cat "${2#*=}"/* > STATE/refreshed ;;
      esac; shift ;;
    -c) cat "$2" > STATE/apt.conf; sources=$(sed -n 's/^Dir::Etc::sourceparts "\\(.*\\)";/\\1/p' "$2")
      cat "$sources"/* > STATE/refreshed; shift ;;
    --download-only) download=yes ;;
    -*) ;;
    *) if [ -z "$command" ]; then command=$1; else packages="$packages $1"; fi ;;
  esac
  shift
done
may_be_killed "$command$packages $download"
for package in $packages; do
  case $package in
    *.deb) package=${package##*/}; name=${package%%_*} version=${package#*_}; version=${version%%_*} ;;
    *) name=${package%%=*} version=${package#*=} ;;
  esac
  file=$archives/${name}_${version}_amd64.deb
  if [ "$command" = download ] && [ "$(cat STATE/former)" != yes ]; then echo "E: not found"; exit 100; fi
  if [ "$command" = download ] || [ "$download" = yes ]; then echo "$version" > "$file"; continue; fi
  [ -e "$file" ] || { echo "E: $file is missing"; exit 100; }
  free "$name"
  may_be_killed "in $name"
  case " $(cat STATE/broken 2> /dev/null) " in
    *" $name=$version "*) echo "dpkg: error processing $name"; echo "E: dpkg returned an error"; exit 100 ;;
  esac
  installed "$name" "$version"
done
may_be_killed "done $command$packages $download" """,
    # A test says which kubelet ends at once: its process is another one at each look.
    "systemctl": """
case "$*" in
  "restart kubelet")
    rm -f STATE/dying
    if [ "$(cat STATE/installed/kubelet)" = "$(cat STATE/ends 2> /dev/null)" ]; then touch STATE/dying; fi ;;
  "is-active "*) echo active ;;
  "show "*) if [ -e STATE/dying ]; then echo "MainPID=$(wc -l < STATE/journal)"; else echo MainPID=4711; fi ;;
esac""",
    "curl": 'printf "%s\\n" "$(cat STATE/healthz 2> /dev/null)" | grep -q . && exit 22; exit 0',
    "sleep": ":",
    "apt-helper": 'for path; do :; done; [ -e STATE/key ] || { echo "E: Failed to fetch  404"; exit 100; }\n'
    'cat STATE/key > "$path"',
}


@dataclass(frozen=True)
class PackageHost:
    """A host whose files lie below `root`, with the programs of one package manager."""

    root: Path
    shell: Shell

    def __post_init__(self) -> None:
        for folder in ("bin", "state/installed", "job", "tmp", "etc/apt/sources.list.d", "var/lib/dpkg"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        (self.root / "state/holds").touch()

    def program(self, name: str, text: str) -> None:
        """A program on the host's PATH."""
        path = self.root / "bin" / name
        path.write_text((HEAD + text).replace("STATE", str(self.root / "state")))
        path.chmod(0o755)

    def set(self, name: str, text: str) -> None:
        """A file of the stand-ins' state."""
        (self.root / "state" / name).write_text(text)

    def get(self, name: str) -> str:
        """What is in it."""
        return (self.root / "state" / name).read_text()

    def file(self, path: str) -> Path:
        """A file of the host."""
        return self.root / path.lstrip("/")

    def journal(self) -> list[str]:
        """The commands that were run."""
        path = self.root / "state/journal"
        return path.read_text().splitlines() if path.exists() else []

    def installed(self) -> dict[str, str]:
        """What is installed."""
        return {each.name: each.read_text() for each in (self.root / "state/installed").iterdir()}

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """How one of scripts/ ends, its paths below `root`, in a process group of its own."""
        text = script_named(script).text()
        for folder in ("/etc/", "/var/lib/", "/var/cache/", "/run/", "/usr/lib/apt/"):
            text = text.replace(folder, f"{self.root}{folder}")
        return subprocess.run(
            [*self.shell.argv, "-c", text, script, *arguments],
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env=self.shell.env(str(self.root / "bin")),
            cwd=self.root / "job",
            timeout=60,
            start_new_session=True,
        )

    def answer(self, script: str, *arguments: str) -> str:
        """What it answers."""
        done = self.run(script, *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.endswith(END.decode())
        return done.stdout.removesuffix(END.decode())

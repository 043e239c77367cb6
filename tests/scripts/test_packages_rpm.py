"""The packages' scripts with dnf and zypper: stand-ins that do what dnf 4.14 and zypper 1.14 do."""

from pathlib import Path

import pytest

from tests.scripts.package_host import NAMES, PROGRAMS, PackageHost

NEW, OLD = "1.37.2-150500.1.1", "1.36.3-150500.1.1"
REPO = """[kubernetes]
name=Kubernetes
baseurl=http://x/core:/stable:/v1.{minor}/rpm/
enabled=1
gpgcheck=1
gpgkey=http://x/core:/stable:/v1.{minor}/rpm/repodata/repomd.xml.key
exclude=kubelet kubeadm kubectl
"""
VERSIONLOCK = "/etc/dnf/plugins/versionlock.list"
LOCKS = "/etc/zypp/locks"
RPM = """
case $1 in
  -q) for name; do :; done; cat "STATE/installed/$name" 2> /dev/null || exit 1 ;;
  --import) cp "$2" STATE/imported ;;
  -U) shift; for file; do case $file in -*) continue ;; esac
      [ -e "$file" ] || { echo "error: open of $file failed"; exit 1; }
      name=${file##*/}; version=${name#*-}; name=${name%%-*}; version=${version%.x86_64.rpm}
      if [ "$(cat STATE/broken 2> /dev/null)" = "$name=$version" ]; then echo "error: no space"; exit 1; fi
      installed "$name" "$version"; done ;;
esac
"""
DNF = """
command= packages= fetched=
for word; do
  case $word in
    --downloaddir=*) fetched=${word#*=} ;;
    --setopt=reposdir=*) cat "${word#*reposdir=}"/* > STATE/refreshed ;;
    -*) ;;
    '%'*) format=$word ;;
    *) if [ -z "$command" ]; then command=$word; else packages="$packages $word"; fi ;;
  esac
done
set -- $packages
case $command in
  repoquery)
    if [ -n "$format" ]; then for name; do echo "$name $(cat STATE/offered)"; done
    elif [ "$1" = "${1%%-*}-$(cat STATE/offered)" ]; then echo "$1"; fi ;;
  install | reinstall)
    if [ -n "$fetched" ]; then mkdir -p "$fetched"; else cat STATE/transient 2> /dev/null | xargs -r rm -f; fi
    for package; do
      if [ -n "$fetched" ]; then
        : > "$fetched/$package.x86_64.rpm"; echo "$fetched/$package.x86_64.rpm" >> STATE/transient
      else installed "${package%%-*}" "${package#*-}"; fi
    done ;;
  versionlock)
    list=ROOT/etc/dnf/plugins/versionlock.list
    if [ "$1" = add ]; then echo "$2-0:$(cat "STATE/installed/$2").*" >> $list
    else grep -v "^$2-" $list > STATE/part; cat STATE/part > $list; fi ;;
esac
"""
ZYPPER = """
cache= command= packages=
while [ $# -gt 0 ]; do
  case $1 in
    --pkg-cache-dir) cache=$2; shift ;;
    --reposd-dir) cat "$2"/* > STATE/refreshed; shift ;;
    --cache-dir | --type) shift ;;
    -*) ;;
    *) if [ -z "$command" ]; then command=$1; else packages="$packages $1"; fi ;;
  esac
  shift
done
set -- $packages
locks=ROOT/etc/zypp/locks
case $command in
  search) for name; do
      echo "i | $name | package | $(cat "STATE/installed/$name") | x86_64 | (System Packages)"
      echo "v | $name | package | $(cat STATE/offered) | x86_64 | Kubernetes"
    done ;;
  download) mkdir -p "$cache/kubernetes/x86_64"
    for package; do : > "$cache/kubernetes/x86_64/${package%%=*}-${package#*=}.x86_64.rpm"; done ;;
  install) for package; do
      if grep -q "^solvable_name: ${package%%=*}" $locks; then echo "locked"; exit 4; fi
      may_be_killed "in ${package%%=*}"
      installed "${package%%=*}" "${package#*=}"
    done ;;
  addlock) for name; do echo "solvable_name: $name" >> $locks; done ;;
  removelock) grep -v "^solvable_name: $1" $locks > STATE/part; cat STATE/part > $locks ;;
esac
"""


def node(host: PackageHost, path: str, **programs: str) -> PackageHost:
    for name, text in programs.items():
        host.program(name, text.replace("ROOT", str(host.root)))
    host.program("rpm", RPM)
    for name in ("systemctl", "curl", "sleep"):
        host.program(name, PROGRAMS[name])
    host.file(path).parent.mkdir(parents=True)
    host.file(path).write_text(REPO.format(minor=36))
    host.set("offered", NEW)
    for name in NAMES:
        host.set(f"installed/{name}", OLD)
    return host


@pytest.fixture
def fedora(tmp_path, dash) -> PackageHost:
    host = node(PackageHost(tmp_path, dash), "/etc/yum.repos.d/kubernetes.repo", dnf=DNF)
    host.file(VERSIONLOCK).parent.mkdir(parents=True)
    host.file(VERSIONLOCK).write_text(f"# mine\nkubelet-0:{OLD}.*\n")
    return host


@pytest.fixture
def suse(tmp_path, dash) -> PackageHost:
    host = node(PackageHost(tmp_path, dash), "/etc/zypp/repos.d/kubernetes.repo", zypper=ZYPPER)
    host.file(LOCKS).write_text("solvable_name: kubeadm\nsolvable_name: kubelet\n")
    return host


@pytest.fixture(params=["fedora", "suse"])
def host(request) -> PackageHost:
    return request.getfixturevalue(request.param)


def repository(host: PackageHost) -> Path:
    return next(host.file("/etc").rglob("kubernetes.repo"))


def test_what_another_minor_offers_is_asked_beside_everything(host):
    told = host.answer("packages-offer", "37", f"{host.root}/tmp", "no")
    assert sorted(told.splitlines()) == sorted(f"offered {name} {NEW}" for name in NAMES)
    assert host.get("refreshed") == REPO.format(minor=37).replace("exclude=kubelet kubeadm kubectl\n", "\n")
    assert repository(host).read_text() == REPO.format(minor=36)
    assert list(host.file("/tmp").iterdir()) == []


def test_all_is_brought_and_installed_in_two_steps(host):
    done = host.run("packages-prepare", NEW, "37", "no")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert host.installed() == {"kubeadm": NEW, "kubelet": OLD, "kubectl": OLD}
    assert repository(host).read_text() == REPO.format(minor=37)
    done = host.run("packages-install", NEW)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert host.installed() == dict.fromkeys(NAMES, NEW)
    assert "systemctl restart kubelet" in host.journal()


def test_what_fails_to_install_is_undone(host):
    assert host.run("packages-prepare", NEW, "37", "no").returncode == 0
    host.set("broken", f"kubectl={NEW}")
    done = host.run("packages-install", NEW)
    assert (done.returncode, done.stderr) == (10, "")
    assert done.stdout.splitlines()[-1] == (
        f"{NEW} could not be installed (no space); the former packages are installed again: "
        f"now kubelet {OLD}, kubectl {OLD}"
    )


def test_a_version_that_is_not_offered_leaves_all_as_it_was(host):
    done = host.run("packages-prepare", "1.37.9-150500.1.1", "37", "no")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.endswith(": kubeadm 1.37.9-150500.1.1 is not offered\n")
    assert repository(host).read_text() == REPO.format(minor=36)


def test_dnfs_lock_names_the_version_that_is_installed(fedora):
    fedora.run("packages-prepare", NEW, "37", "no")
    assert fedora.file(VERSIONLOCK).read_text() == f"# mine\nkubelet-0:{OLD}.*\n"
    fedora.run("packages-install", NEW)
    assert fedora.file(VERSIONLOCK).read_text() == f"# mine\nkubelet-0:{NEW}.*\n"


def test_zyppers_locks_are_as_they_were(suse):
    suse.run("packages-prepare", NEW, "37", "no")
    suse.run("packages-install", NEW)
    locks = sorted(suse.file(LOCKS).read_text().splitlines())
    assert locks == ["solvable_name: kubeadm", "solvable_name: kubelet"]


def test_zyppers_locks_are_put_back_by_the_next_run(suse):
    suse.set("kill", "in kubeadm")
    assert suse.run("packages-prepare", NEW, "37", "no").returncode == -9
    assert suse.file(LOCKS).read_text() == "solvable_name: kubelet\n"
    assert suse.run("packages-prepare", NEW, "37", "no").returncode == 0
    locks = sorted(suse.file(LOCKS).read_text().splitlines())
    assert locks == ["solvable_name: kubeadm", "solvable_name: kubelet"]

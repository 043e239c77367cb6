"""packages-offer.sh, packages-prepare.sh and packages-install.sh with apt, on two kinds of hosts."""

import base64
import re
import subprocess

import pytest

from tests.fakes.host import script_named
from tests.scripts.package_host import NAMES, PROGRAMS, STATE, PackageHost

NEW, OLD = "1.37.2-1.1", "1.36.3-1.1"
LIST = "/etc/apt/sources.list.d/kubernetes.list"
KEYRING = "/etc/apt/keyrings/kubernetes.gpg"
ENTRY = "deb [signed-by={root}/etc/apt/keyrings/kubernetes.gpg] http://x/core:/stable:/v1.{minor}/deb/ /\n"
KEY = b"\x99\x01\x0d\x04" + bytes(range(200))
EXPIRED = "W: GPG error: http://x InRelease: signatures were invalid: EXPKEYSIG 234654DA9A296436 x\n"
UNKNOWN = "W: GPG error: http://x InRelease: signatures couldn't be verified: NO_PUBKEY 234654DA9A296436\n"
MISSING = "Err:2 http://x/deb  Release\n  404  Not Found\nE: The repository does not have a Release file.\n"
FORBIDDEN = "Err:2 https://x/deb  Release\n  403  Forbidden\nE: The repository is not signed.\n"
UNSIGNED = "E: The repository 'http://x/deb  Release' is not signed.\n"
UNREACHED = "W: Failed to fetch http://x/InRelease  Temporary failure resolving 'x'\nW: Some failed.\n"
LATE = "E: Release file for http://x/InRelease is expired (invalid since 3d).\n"


@pytest.fixture
def host(tmp_path, shell) -> PackageHost:
    """A node of 1.36 whose packages are held, and a repository that offers 1.37.2, on each kind of host."""
    return node(tmp_path, shell)


@pytest.fixture
def debian(tmp_path, dash) -> PackageHost:
    """The same on one kind of host, where there is nothing else to it."""
    return node(tmp_path, dash)


def node(folder, shell) -> PackageHost:
    host = PackageHost(folder, shell)
    for name, text in PROGRAMS.items():
        host.program(name, text)
    helper = host.file("/usr/lib/apt/apt-helper")
    helper.parent.mkdir(parents=True)
    (host.root / "bin/apt-helper").rename(helper)
    host.file("/var/lib/dpkg/status").write_text("Package: dpkg\n")
    host.file(LIST).write_text(entry(host, 36))
    host.file(KEYRING).parent.mkdir()
    host.file(KEYRING).write_bytes(b"old key")
    host.set("holds", "kubeadm\nkubectl\nkubelet\nlinux-image\n")
    host.set("offered", NEW)
    host.set("former", "yes")
    host.set("key", armoured(KEY))
    for name in NAMES:
        host.set(f"installed/{name}", OLD)
    return host


def entry(host: PackageHost, minor: int) -> str:
    return ENTRY.format(root=host.root, minor=minor)


def armoured(key: bytes) -> str:
    lines = "\n".join(re.findall(".{1,64}", base64.b64encode(key).decode()))
    head, tail = "-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----"
    return f"{head}\nVersion: GnuPG v2.0.15 (GNU/Linux)\n\n{lines}\n=AbCd\n{tail}\n"


def holds(host: PackageHost) -> list[str]:
    return sorted(host.get("holds").split())


def prepare(host: PackageHost, version: str = NEW, minor: str = "37", renew: str = "no") -> tuple[int, str]:
    done = host.run("packages-prepare", version, minor, renew)
    assert done.stderr == ""
    return done.returncode, done.stdout


def prepared(host: PackageHost) -> PackageHost:
    code, said = prepare(host)
    assert code == 0, said
    return host


def install(host: PackageHost, version: str = NEW) -> tuple[int, str]:
    done = host.run("packages-install", version)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_what_another_minor_offers_is_asked_beside_everything(host):
    told = host.answer("packages-offer", "37", f"{host.root}/tmp", "no")
    assert told.splitlines() == [f"offered {name} {NEW}" for name in NAMES]
    assert host.get("refreshed") == entry(host, 37)
    assert host.file(LIST).read_text() == entry(host, 36)
    assert list(host.file("/tmp").iterdir()) == []


def test_the_repositorys_key_is_believed_for_once(host):
    host.answer("packages-offer", "37", f"{host.root}/tmp", "yes")
    assert re.search(r"signed-by=\S*/key.asc\]", host.get("refreshed"))
    assert host.file(KEYRING).read_bytes() == b"old key"
    assert list(host.file("/tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (EXPIRED, "this host's copy of its signing key has expired"),
        (UNKNOWN, "this host does not have its signing key"),
        (MISSING, r"there is no such repository, .* \(404 Not Found\)"),
        (FORBIDDEN, r"there is no such repository, .* \(403 Forbidden\)"),
        (UNSIGNED, "its signature is missing"),
        (UNREACHED, "it can't be reached: Failed to fetch"),
        (LATE, "its lists are out of date"),
        ("E: something else\n", "can't be fetched: something else"),
    ],
)
@pytest.mark.parametrize("code", [0, 100])
def test_what_is_wrong_with_a_repository_is_one_sentence(debian, said, told, code):
    debian.program("apt-get", f"printf '%s' \"$(cat STATE/said)\"; exit {code}")
    debian.set("said", said)
    done = debian.run("packages-offer", "37", f"{debian.root}/tmp", "no")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(f"http://x/core:/stable:/v1.37/deb/: .*{told}.*\n", done.stderr)
    assert list(debian.file("/tmp").iterdir()) == []


MIRROR = "deb [signed-by=/k.gpg] http://mirror.example/kubernetes ./\n"


def test_an_own_mirror_whose_address_names_no_minor_is_taken_where_it_offers_the_version(host):
    host.file(LIST).write_text(MIRROR)
    told = host.answer("packages-offer", "37", f"{host.root}/tmp", "no")
    assert told.splitlines() == [f"offered {name} {NEW}" for name in NAMES]
    assert list(host.file("/tmp").iterdir()) == []
    prepared(host)
    assert install(host)[0] == 0
    assert host.installed() == dict.fromkeys(NAMES, NEW)
    assert host.file(LIST).read_text() == MIRROR


def test_one_that_does_not_offer_it_is_told(debian):
    debian.file(LIST).write_text(MIRROR)
    done = debian.run("packages-offer", "38", f"{debian.root}/tmp", "no")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("and this host's lists have no kubeadm 1.38\n")
    code, said = prepare(debian, "1.38.0-1.1", "38")
    assert (code, said.splitlines()[-1]) == (
        1,
        "this host's repositories: kubeadm 1.38.0-1.1 is not offered",
    )
    assert prepare(debian, renew="yes")[1].splitlines()[-1].startswith("the key to renew is not known")


def test_what_a_package_manager_says_is_kept_without_passwords(host):
    host.file(LIST).write_text(entry(host, 36).replace("http://x/", "http://ann:s3cret@x/"))
    trouble = "Err:1 http://ann:s3cret@x/core:/stable:/v1.37/deb/ InRelease\nE: Failed to fetch http://a:s3cret@x/\n"
    host.set("fail apt-get", f"update\n{trouble}")
    code, said = prepare(host)
    assert code == 1
    assert "s3cret" not in said
    assert "http://x/core:/stable:/v1.37/deb/: its lists can't be fetched: Failed to fetch http://x/" in said
    told = host.run("packages-offer", "37", f"{host.root}/tmp", "no")
    assert "s3cret" not in told.stdout + told.stderr


def test_a_host_without_kubernetes_repository(debian):
    debian.set("offered", "")
    debian.file(LIST).write_text("deb http://deb.debian.org/debian bookworm main\n")
    done = debian.run("packages-offer", "37", f"{debian.root}/tmp", "no")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no repository of Kubernetes" in done.stderr


def test_all_is_brought_and_kubeadm_alone_installed(host):
    prepared(host)
    assert host.installed() == {"kubeadm": NEW, "kubelet": OLD, "kubectl": OLD}
    assert host.file(LIST).read_text() == entry(host, 37)
    assert host.get("refreshed") == entry(host, 37)
    assert holds(host) == ["kubeadm", "kubectl", "kubelet", "linux-image"]
    there = {each.name for each in host.file(f"{STATE}/packages").iterdir()}
    assert there == {f"{name}_{version}_amd64.deb" for name in NAMES for version in (OLD, NEW)}
    assert not host.file(f"{STATE}/replaced").exists()


def test_mode_and_owner_of_the_source_file_stay(host):
    host.file(LIST).chmod(0o640)
    prepared(host)
    assert host.file(LIST).stat().st_mode & 0o777 == 0o640
    assert [each.name for each in host.file(LIST).parent.iterdir()] == ["kubernetes.list"]


def test_what_is_prepared_already_is_done_again_without_harm(debian):
    prepared(debian)
    prepared(debian)
    assert debian.installed() == {"kubeadm": NEW, "kubelet": OLD, "kubectl": OLD}
    assert debian.file(f"{STATE}/installed/kubeadm").read_text() == f"{OLD}\n"


def test_what_was_not_held_is_not_held(debian):
    debian.set("holds", "")
    prepared(debian)
    assert install(debian)[0] == 0
    assert holds(debian) == []


def test_what_is_held_between_two_attempts_stays_held(host):
    host.set("holds", "linux-image\n")
    assert prepare(host, "1.37.9-1.1")[0] == 1
    host.set("holds", "kubeadm\nkubectl\nkubelet\nlinux-image\n")
    prepared(host)
    assert holds(host) == ["kubeadm", "kubectl", "kubelet", "linux-image"]
    assert install(host)[0] == 0
    assert holds(host) == ["kubeadm", "kubectl", "kubelet", "linux-image"]
    assert not host.file(f"{STATE}/holds").exists()


def test_what_is_freed_after_an_upgrade_stays_free(host):
    prepared(host)
    host.set("broken", f"kubelet={NEW}")
    assert install(host)[0] == 10
    host.set("holds", "")
    host.set("broken", "")
    assert install(host)[0] == 0
    assert holds(host) == []


def test_what_is_to_be_put_back_is_on_the_disk_before_it_has_its_name(host):
    host.program("sync", ":")
    prepared(host)
    state = host.file(STATE)
    for path in (
        state / "holds.part",
        *(state / f"installed/{name}.part" for name in NAMES),
        *(
            state / "replaced" / str(host.file(LIST)).replace("/", "+") / name
            for name in ("was", "is", "path.part")
        ),
    ):
        assert f"sync {path}" in host.journal()


def test_what_a_run_that_was_killed_was_about_to_put_into_place_goes(host):
    left = host.file(LIST).parent / ".kubectl-admin.a1B2c3"
    left.write_text("deb https://ann:secret@x/")
    prepared(host)
    assert not left.exists()


def test_a_version_that_is_not_offered_leaves_all_as_it_was(debian):
    code, said = prepare(debian, "1.37.9-1.1")
    assert code == 1
    assert said.endswith("/v1.37/deb/: kubeadm 1.37.9-1.1 is not offered\n")
    assert debian.file(LIST).read_text() == entry(debian, 36)
    assert debian.installed() == dict.fromkeys(NAMES, OLD)
    assert not debian.file(f"{STATE}/replaced").exists()


def test_a_repository_that_is_not_believed_leaves_all_as_it_was(host):
    host.set("fail apt-get", f"update\n{EXPIRED}")
    code, said = prepare(host, renew="yes")
    assert code == 1
    assert said.endswith("this host's copy of its signing key has expired\n")
    assert host.file(LIST).read_text() == entry(host, 36)
    assert host.file(KEYRING).read_bytes() == b"old key"


def test_a_kubeadm_that_does_not_install_is_put_back(host):
    host.set("broken", f"kubeadm={NEW}")
    code, said = prepare(host)
    assert code == 1
    assert said.splitlines()[-1].startswith(f"kubeadm {NEW} could not be installed (")
    assert host.installed() == dict.fromkeys(NAMES, OLD)
    assert host.file(LIST).read_text() == entry(host, 36)
    assert holds(host) == ["kubeadm", "kubectl", "kubelet", "linux-image"]


def test_the_key_is_renewed_when_asked(host):
    code, said = prepare(host, renew="yes")
    assert code == 0, said
    assert host.file(KEYRING).read_bytes() == KEY


@pytest.mark.parametrize("content", ["<html>", "", armoured(b"\x01no key"), armoured(b"")])
def test_what_is_no_key_replaces_none(debian, content):
    debian.set("key", content)
    code, said = prepare(debian, renew="yes")
    assert code == 1
    assert said.endswith("/v1.37/deb/Release.key is not a key\n")
    assert debian.file(KEYRING).read_bytes() == b"old key"
    assert debian.file(LIST).read_text() == entry(debian, 36)


@pytest.mark.parametrize(
    "moment",
    [
        "update no",
        f"install kubeadm={NEW} kubelet={NEW} kubectl={NEW} yes",
        f"install kubeadm={NEW} no",
        "in kubeadm",
        f"done install kubeadm={NEW} no",
        "hold kubeadm",
        "held kubeadm",
    ],
)
def test_a_preparation_that_was_killed_is_run_again(debian, moment):
    debian.set("kill", moment)
    assert prepare(debian)[0] == -9
    assert not (debian.root / "state/kill").exists()
    prepared(debian)
    assert debian.installed() == {"kubeadm": NEW, "kubelet": OLD, "kubectl": OLD}
    assert debian.file(LIST).read_text() == entry(debian, 37)
    assert holds(debian) == ["kubeadm", "kubectl", "kubelet", "linux-image"]
    assert not debian.file(f"{STATE}/replaced").exists()


def test_a_failure_after_a_kill_puts_back_what_was_there_before_it(host):
    host.set("kill", "update no")
    prepare(host)
    assert host.file(LIST).read_text() == entry(host, 37)
    host.set("fail apt-get", f"update\n{MISSING}")
    assert prepare(host)[0] == 1
    assert host.file(LIST).read_text() == entry(host, 36)


def test_what_somebody_has_changed_since_is_not_put_back(debian):
    debian.set("kill", "update no")
    prepare(debian)
    mine = entry(debian, 37).replace("//x/", "//mirror/")
    debian.file(LIST).write_text(mine)
    debian.set("fail apt-get", f"update\n{MISSING}")
    assert prepare(debian)[0] == 1
    assert debian.file(LIST).read_text() == mine


def test_another_package_manager_is_waited_for(debian):
    debian.set("fail apt-get", "update\nE: Could not get lock /var/lib/apt/lists/lock. It is held\n")
    debian.set("once", "")
    code, said = prepare(debian)
    assert code == 0
    assert "another package manager is at work" in said
    assert "sleep 5" in debian.journal()


def test_kubelet_and_kubectl_are_installed_and_the_kubelet_restarted(host):
    prepared(host)
    code, said = install(host)
    assert code == 0
    assert said.endswith(f"installed: kubelet {NEW}, kubectl {NEW}\n")
    assert host.installed() == dict.fromkeys(NAMES, NEW)
    assert holds(host) == ["kubeadm", "kubectl", "kubelet", "linux-image"]
    asked = [line for line in host.journal() if line.startswith("systemctl")]
    assert asked[:2] == ["systemctl daemon-reload", "systemctl restart kubelet"]
    assert records(host)["kubelet"] == f"{NEW} - 0"
    assert "--no-download" in next(line for line in host.journal() if "kubelet_1.37.2" in line)


def records(host: PackageHost) -> dict[str, str]:
    """How the steps ended, as the host has it on its disk."""
    return {each.name: each.read_text().strip() for each in host.file(f"{STATE}/records").iterdir()}


def test_a_kubelet_that_ends_within_seconds_is_put_back(host):
    prepared(host)
    host.set("ends", NEW)
    code, said = install(host)
    assert code == 10
    assert re.fullmatch(
        f"{NEW} could not be installed \\(the kubelet exited within 1 seconds of its start: .*\\); "
        f"the former packages are installed again: now kubelet {OLD}, kubectl {OLD}",
        said.splitlines()[-1],
    )
    assert host.installed() == {"kubeadm": NEW, "kubelet": OLD, "kubectl": OLD}
    assert holds(host) == ["kubeadm", "kubectl", "kubelet", "linux-image"]
    assert records(host)["kubelet"] == f"{NEW} - 10"


def test_a_kubelet_that_never_says_that_it_is_well_is_put_back_and_neither_does_the_old_one(debian):
    prepared(debian)
    debian.set("healthz", "not well")
    code, said = install(debian)
    assert code == 2
    assert said.splitlines()[-1].count("its healthz still fails after 60 seconds") == 2
    assert debian.installed()["kubelet"] == OLD
    assert "curl -fs --noproxy * --max-time 5 http://127.0.0.1:10248/healthz" in debian.journal()


# A stand-in of systemctl's that does not answer the look of this number at what a test names.
SILENT = """case "$*" in *"{words}"*)
  echo >> STATE/looks
  if [ "$(wc -l < STATE/looks)" = {number} ]; then echo "Connection timed out" >&2; exit 1; fi ;;
esac
"""


@pytest.mark.parametrize(
    ("words", "number"),
    [("is-active", 1), ("is-active", 4), ("show", 1), ("show", 4), ("daemon-reload", 1), ("restart", 1)],
)
def test_a_systemctl_that_fails_for_a_moment_takes_no_kubelet_away(host, words, number):
    host.file("/run/systemd/system").mkdir(parents=True)
    prepared(host)
    host.program("systemctl", SILENT.format(words=words, number=number) + PROGRAMS["systemctl"])
    done = host.run("packages-install", NEW)
    assert done.returncode == 0, done.stdout
    assert host.installed()["kubelet"] == NEW
    assert len(host.get("looks").splitlines()) > number


def test_where_systemd_never_says_how_the_kubelet_does_nothing_is_said_of_it(host):
    """Neither that it stays, nor that the former one is back."""
    host.file("/run/systemd/system").mkdir(parents=True)
    prepared(host)
    host.program("systemctl", 'case "$1" in show) exit 1 ;; esac\n' + PROGRAMS["systemctl"])
    done = host.run("packages-install", NEW)
    assert (done.returncode, host.installed()["kubelet"]) == (1, NEW)
    assert done.stderr == "systemd does not report the process of kubelet: systemctl show kubelet\n"
    assert records(host)["kubelet"] == f"{NEW} - -"


def test_a_kubelet_without_a_process_does_not_stay_however_long_systemd_waits_to_start_it(debian):
    prepared(debian)
    program = PROGRAMS["systemctl"].replace("echo active", "echo activating").replace("4711", "0")
    debian.program("systemctl", program)
    code, said = install(debian)
    assert code == 2
    assert said.splitlines()[-1].count("the kubelet exited within 0 seconds of its start") == 2


def test_a_kubelet_that_is_not_heard_where_it_is_asked_is_not_taken_for_unwell(debian):
    """Its port may be another one; the API server hears of it all the same."""
    prepared(debian)
    debian.program("curl", "exit 7")
    code, said = install(debian)
    assert code == 0
    assert "nothing answers at its healthz port" in said
    assert debian.installed()["kubelet"] == NEW


def is_well(host: PackageHost, port: int = 1, **environment: str) -> str:
    """What the host finds of a kubelet that listens there."""
    config = host.file("/var/lib/kubelet/config.yaml")
    config.parent.mkdir(exist_ok=True)
    config.write_text(f"healthzPort: {port}\n")
    text = script_named("kubelet-stays").text().replace("/var/lib/", f"{host.root}/var/lib/")
    done = subprocess.run(
        [*host.shell.argv, "-c", f"set -eu\n{text}\nkubelet_is_well"],
        check=True,
        capture_output=True,
        text=True,
        env=host.shell.env(str(host.root / "bin")) | environment,
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("code", "well"),
    [(0, "yes"), (22, "no"), (7, "silent"), (28, "silent"), (127, "unknown"), (139, "unknown")],
)
def test_only_what_the_kubelet_answers_says_that_it_is_not_well(host, code, well):
    """What asks it may not work itself."""
    host.program("curl", f"exit {code}")
    assert is_well(host) == well


def test_a_kubelet_that_serves_no_healthz_is_not_asked(host):
    host.program("curl", "exit 22")
    assert is_well(host, port=0) == "unknown"


# As busybox' wget and GNU's say it; a proxy would refuse.
WGET = """[ -z "${http_proxy-}${HTTP_PROXY-}${all_proxy-}${ALL_PROXY-}" ] || exit 8
"""
BUSYBOX = "echo 'wget: server returned error: HTTP/1.1 500 Internal Server Error' >&2; exit 1"


@pytest.mark.parametrize("proxy", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    ("does", "well"),
    [
        ("exit 0", "yes"),
        (BUSYBOX, "no"),
        ("exit 8", "no"),
        ("echo 'wget: unrecognized option' >&2; exit 1", "silent"),
        ("exit 4", "silent"),
        ("kill -SEGV $$", "unknown"),
    ],
)
def test_wget_asks_the_kubelet_itself(busybox, tmp_path, does, well, proxy):
    host = node(tmp_path, busybox)
    (host.root / "bin/curl").unlink()
    host.program("wget", WGET + does)
    assert is_well(host, **{proxy: "http://proxy:3128"}) == well


# A file that can't be written from then on, as on a disk that is full.
FULL = """case "$*" in *"{words}"*) rm -f {file}; mkdir -p {file} ;; esac
"""


@pytest.mark.parametrize("broken", ["", f"kubectl={NEW}"])
def test_what_a_full_disk_keeps_from_being_written_is_not_taken_for_a_former_kubelet(host, broken):
    prepared(host)
    host.set("broken", broken)
    folder = host.file(f"{STATE}/records")
    full = FULL.format(words="restart kubelet", file=folder / ".kubelet")
    host.program("systemctl", full + PROGRAMS["systemctl"])
    done = host.run("packages-install", NEW)
    assert done.returncode == 2
    assert done.stdout.splitlines()[-1].endswith("/records: is the disk full?")
    assert (folder / "kubelet").read_text() == f"{NEW} - -\n"


def test_a_disk_too_full_for_an_exit_code_ends_in_words(host):
    """The shell itself would end where it is to return nothing."""
    prepared(host)
    full = FULL.format(words="kubelet_", file=host.root / "job/code")
    host.program("apt-get", full + PROGRAMS["apt-get"])
    done = host.run("packages-install", NEW)
    assert done.returncode == 10
    assert "could not be installed" in done.stdout.splitlines()[-1]


def test_a_node_without_kubectl_gets_none(host):
    (host.root / "state/installed/kubectl").unlink()
    prepared(host)
    assert install(host)[0] == 0
    assert host.installed() == {"kubeadm": NEW, "kubelet": NEW}
    assert not any("kubectl=" in line for line in host.journal())


def test_a_node_without_kubectl_has_its_former_kubelet_put_back(host):
    (host.root / "state/installed/kubectl").unlink()
    prepared(host)
    host.set("broken", f"kubelet={NEW}")
    code, said = install(host)
    assert code == 10
    assert said.splitlines()[-1] == (
        f"{NEW} could not be installed (dpkg returned an error); the former packages are installed again: "
        f"now kubelet {OLD}"
    )


def test_what_was_at_the_version_before_is_no_reason_to_call_the_rest_lost(debian):
    debian.set("installed/kubectl", NEW)
    prepared(debian)
    debian.set("broken", f"kubelet={NEW}")
    code, said = install(debian)
    assert code == 10
    assert "; the former packages are installed again: " in said.splitlines()[-1]
    assert debian.installed() == {"kubeadm": NEW, "kubelet": OLD, "kubectl": NEW}


def test_each_job_says_on_the_disk_how_it_ended(debian):
    debian.set("kill", "update no")
    prepare(debian)
    assert records(debian) == {"packages": f"{NEW} - -"}
    debian.set("fail apt-get", f"update\n{MISSING}")
    prepare(debian)
    assert records(debian) == {"packages": f"{NEW} - 1"}
    (debian.root / "state/fail apt-get").unlink()
    prepared(debian)
    assert records(debian) == {"packages": f"{NEW} - 0"}
    debian.set("kill", "in kubectl")
    install(debian)
    assert records(debian)["kubelet"] == f"{NEW} - -"


def test_what_was_not_downloaded_is_not_installed(debian):
    code, said = install(debian)
    assert (code, said.splitlines()[-1]) == (
        2,
        f"kubelet {NEW} was not downloaded: now kubelet {OLD}, kubectl {OLD}",
    )
    assert not any(line.startswith(("apt-get", "systemctl")) for line in debian.journal())


@pytest.mark.parametrize("broken", [f"kubelet={NEW}", f"kubectl={NEW}"])
def test_an_installation_that_fails_is_undone(host, broken):
    prepared(host)
    host.set("broken", broken)
    code, said = install(host)
    assert code == 10
    assert said.splitlines()[-1] == (
        f"{NEW} could not be installed (dpkg returned an error); the former packages are installed again: "
        f"now kubelet {OLD}, kubectl {OLD}"
    )
    assert host.installed() == {"kubeadm": NEW, "kubelet": OLD, "kubectl": OLD}
    assert holds(host) == ["kubeadm", "kubectl", "kubelet", "linux-image"]
    assert "systemctl restart kubelet" in host.journal()


def test_where_the_former_packages_were_not_to_be_had_it_is_said(debian):
    debian.set("former", "no")
    code, said = prepare(debian)
    assert code == 0
    assert f"kubelet {OLD} is no longer available" in said
    debian.set("broken", f"kubectl={NEW}")
    code, said = install(debian)
    assert code == 2
    assert said.splitlines()[-1] == (
        f"{NEW} could not be installed (dpkg returned an error); the former packages could not be restored: "
        f"now kubelet {NEW}, kubectl {OLD}"
    )


def test_a_kubelet_that_does_not_start_is_put_back(debian):
    prepared(debian)
    debian.set("fail systemctl", "restart\nJob for kubelet.service failed.\n")
    code, said = install(debian)
    assert code == 2
    assert "the former packages are installed again, the kubelet does not start" in said.splitlines()[-1]
    assert debian.installed() == {"kubeadm": NEW, "kubelet": OLD, "kubectl": OLD}


@pytest.mark.parametrize(
    "moment", ["in kubelet", "in kubectl", "hold kubelet", "held kubelet", "hold kubectl"]
)
def test_an_installation_that_was_killed_is_run_again(debian, moment):
    prepared(debian)
    debian.set("kill", moment)
    assert install(debian)[0] == -9
    code, said = install(debian)
    assert code == 0, said
    assert debian.installed() == dict.fromkeys(NAMES, NEW)
    assert holds(debian) == ["kubeadm", "kubectl", "kubelet", "linux-image"]
    assert "systemctl restart kubelet" in debian.journal()

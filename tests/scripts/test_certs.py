"""scripts/certs-change.sh, certs-survey.sh and certs-restart.sh."""

import base64
import os
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.fakes.host import Shell

PEM = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"
CONF = "# {0}\nusers:\n- user:\n    client-certificate-data: {1}\n    client-key-data: {2}\n"
# A stand-in: writes a key, then its certificate, and may be told to die before, in between, or after.
KUBEADM = """#!/bin/sh
folder={folder}
[ "$1" != version ] || {{ echo v1.37.2; exit; }}
[ "$1 $2 $4" = "certs renew --cert-dir" ] || exit 9
echo "$3" >> "$folder/calls"
fate=$(cat "$folder/fate-$3" 2> /dev/null)
rm -f "$folder/fate-$3"
number=$(wc -l < "$folder/calls")
[ "$fate" != before ] || {{ echo "no luck" >&2; exit 1; }}
case $3 in
  *.conf) file={kubernetes}/$3
    [ "$fate" != within ] || {{ printf 'users:' > "$file"; kill -9 $PPID; exit; }}
    cp "{pool}/$number.conf" "$file" ;;
  *) base=$5/$(echo "$3" | sed 's|^etcd-|etcd/|')
    grep -q END "$base.crt" || {{ echo "failed to load existing certificate" >&2; exit 1; }}
    cp "{pool}/$number.key" "$base.key"
    [ "$fate" != between ] || {{ kill -9 $PPID; exit; }}
    [ "$fate" != within ] || {{ : > "$base.crt"; kill -9 $PPID; exit; }}
    cp "{pool}/$number.crt" "$base.crt" ;;
esac
[ "$fate" != after ] || kill -9 $PPID
"""
FILES = ("pki/apiserver.key", "pki/apiserver.crt", "scheduler.conf")


@pytest.fixture(scope="session")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys with their certificates, each in files, and in a kubeconfig, that begin with a line of its name.

    «old», those that kubeadm makes one after the other, an «expired» one, and «upgraded».
    """
    folder = tmp_path_factory.mktemp("pool")
    for name in ("old", *map(str, range(1, 6)), "expired", "upgraded"):
        fill_pool(folder, name, days=-1 if name == "expired" else 365)
    return folder


def fill_pool(folder: Path, name: str, days: int) -> None:
    """Makes one of them, that ends in so many days."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .serial_number(x509.random_serial_number())
        .public_key(key.public_key())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
        .decode()
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    (folder / f"{name}.crt").write_text(f"{name}\n{certificate}")
    (folder / f"{name}.key").write_text(f"{name}\n{secret}")
    data = [base64.b64encode(text.encode()).decode() for text in (certificate, secret)]
    (folder / f"{name}.conf").write_text(CONF.format(name, *data))


class HostOfKeys:
    """A host's folders in a temporary one, and a stand-in for kubeadm."""

    def __init__(self, folder: Path, shell: Shell, pool: Path) -> None:
        self.shell, self.pool = shell, pool
        self.kubernetes, self.state, self.bin = folder / "kubernetes", folder / "state", folder / "bin"
        self.pki, self.backups = self.kubernetes / "pki", self.state / "certificates"
        for path in (self.pki / "etcd", self.state, self.bin):
            path.mkdir(parents=True)
        for name in ("ca", "etcd/ca"):
            self.write(f"pki/{name}.crt", PEM.format("old"))
            self.write(f"pki/{name}.key", PEM.format("old"))
        for name in ("apiserver", "etcd/server"):
            self.put(f"pki/{name}", "old")
        for key in self.pki.rglob("*.key"):
            key.chmod(0o600)
        for name in ("admin", "scheduler", "kubelet"):
            shutil.copy(pool / "old.conf", self.kubernetes / f"{name}.conf")
        program = self.bin / "kubeadm"
        program.write_text(KUBEADM.format(folder=folder, kubernetes=self.kubernetes, pool=pool))
        program.chmod(0o755)
        self.folder = folder

    def write(self, name: str, text: str) -> None:
        (self.kubernetes / name).write_text(text)

    def put(self, base: str, which: str) -> None:
        """A pair of the pool's takes this place."""
        for kind in ("key", "crt"):
            shutil.copy(self.pool / f"{which}.{kind}", self.kubernetes / f"{base}.{kind}")

    def of_pair(self, folder: Path | None = None, base: str = "pki/apiserver") -> list[str]:
        """Whose the certificate and the key are, on the host or in a backup."""
        root = folder or self.kubernetes
        return [(root / f"{base}.{kind}").read_text().split("\n")[0] for kind in ("crt", "key")]

    def secrets(self) -> list[str]:
        """A line of each key that is there, or that kubeadm will make."""
        return [path.read_text().split("\n")[3] for path in self.pool.glob("*.key")]

    def fate(self, name: str, when: str) -> None:
        """kubeadm, and whoever called it, dies when it renews this."""
        (self.folder / f"fate-{name}").write_text(when)

    def change(self, action: str, new: str, *words: str) -> "subprocess.CompletedProcess[bytes]":
        arguments = (action, self.state, self.kubernetes, self.pki, new, *words)
        return self.shell.ended("certs-change", *arguments, path=str(self.bin))

    def renew(self, new: str, *names: str) -> "subprocess.CompletedProcess[bytes]":
        return self.change("renew", new, *names)

    def rollback(self, new: str, backup: str, end: str = "") -> "subprocess.CompletedProcess[bytes]":
        return self.change("rollback", new, backup, end or str(int(time.time()) + 3600), *FILES)

    def texts(self, folder: Path | None = None) -> dict[str, str]:
        """All of kubeadm's files, or a backup's, by their names; behind links as well."""
        root = folder or self.kubernetes
        paths = (Path(at, name) for at, _, names in os.walk(root, followlinks=True) for name in names)
        return {
            str(path.relative_to(root)): path.read_text()
            for path in paths
            if path.name not in ("open", "folder") and path.suffix != ".found"
        }

    def pair_is_one(self) -> bool:
        """Whether the API server's key and certificate belong to each other."""
        certificate, key = self.of_pair()
        return certificate == key

    @property
    def calls(self) -> list[str]:
        """What kubeadm was told to renew, all runs together."""
        path = self.folder / "calls"
        return path.read_text().split() if path.exists() else []


@pytest.fixture
def keys(tmp_path: Path, shell: Shell, pool: Path) -> HostOfKeys:
    return HostOfKeys(tmp_path, shell, pool)


@pytest.fixture
def openssl(tmp_path: Path, dash: Shell, pool: Path) -> HostOfKeys:
    """A host with openssl; the other kind goes without."""
    return HostOfKeys(tmp_path, dash, pool)


def test_what_there_is_is_kept_before_kubeadm_renews(keys):
    before = keys.texts()
    done = keys.renew("20261125T120000Z", "apiserver", "scheduler.conf")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().splitlines()[-1] == "backup 20261125T120000Z"
    assert keys.calls == ["apiserver", "scheduler.conf"]
    assert keys.texts(keys.backups / "20261125T120000Z") == before
    changed = {name for name, text in keys.texts().items() if text != before[name]}
    assert changed == {"pki/apiserver.crt", "pki/apiserver.key", "scheduler.conf"}


def test_a_backup_is_for_root_alone_and_keeps_modes(keys):
    keys.renew("a", "apiserver")
    for path in (keys.backups, keys.backups / "a"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE((keys.backups / "a/pki/ca.key").stat().st_mode) == 0o600
    assert [path.name for path in keys.backups.iterdir()] == ["a"]
    assert (keys.backups / "a/open").exists()


def linked(keys: HostOfKeys, *names: str) -> None:
    """These lie elsewhere, and where kubeadm looks for them there are links."""
    elsewhere = keys.folder / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    for name in names:
        path = keys.kubernetes / name
        target = elsewhere / path.name
        path.rename(target)
        path.symlink_to(os.path.relpath(target, path.parent))


LINKED = [("pki",), ("pki/apiserver.crt", "pki/apiserver.key", "scheduler.conf"), ("pki/etcd",)]


@pytest.mark.parametrize("names", LINKED)
def test_of_a_link_the_contents_are_kept_and_brought_back(keys, names):
    linked(keys, *names)
    before = keys.texts()
    (keys.pki / "apiserver.key").chmod(0o640)
    assert keys.renew("a", "apiserver", "scheduler.conf").returncode == 0
    kept = keys.backups / "a"
    assert not [path for path in kept.rglob("*") if path.is_symlink()]
    assert keys.texts(kept) == before
    assert "old" not in keys.texts()["scheduler.conf"]
    done = keys.rollback("b", "a")
    assert (done.returncode, done.stderr) == (0, b"")
    assert keys.texts() == before
    assert stat.S_IMODE((keys.pki / "apiserver.key").stat().st_mode) == 0o640
    for name in names:
        assert (keys.kubernetes / name).is_symlink()
    assert not list(keys.folder.rglob(".kubectl-admin*"))


@pytest.mark.parametrize("names", [(), *LINKED])
def test_a_key_that_a_killed_run_was_about_to_put_into_place_goes_and_is_in_no_backup(keys, names):
    linked(keys, *names)
    files = ("pki/apiserver.crt", "pki/apiserver.key", "pki/etcd/server.key", "scheduler.conf")
    folders = {(keys.kubernetes / name).resolve().parent for name in files}
    for folder in folders:
        (folder / ".kubectl-admin.a1B2c3").write_text("key")
    assert keys.renew("a", "apiserver").returncode == 0
    assert not list(keys.folder.rglob(".kubectl-admin*"))


def test_a_truncated_file_behind_a_link_comes_back_there(keys):
    linked(keys, *LINKED[1])
    keys.fate("apiserver", "within")
    keys.renew("a", "apiserver")
    assert keys.renew("b", "apiserver").returncode == 0
    assert (keys.pki / "apiserver.crt").is_symlink()
    assert keys.pair_is_one()


def test_a_link_that_leads_nowhere_can_not_be_kept(keys):
    (keys.pki / "gone.crt").symlink_to("nowhere")
    done = keys.renew("a", "apiserver")
    assert (done.returncode, keys.calls) == (1, [])
    assert f"{keys.pki}/gone.crt leads nowhere" in done.stderr.decode()
    assert not (keys.backups / "a").exists()


def test_a_file_that_is_gone_is_brought_back(keys):
    before = keys.texts()
    keys.renew("a", "apiserver")
    (keys.pki / "apiserver.crt").unlink()
    assert keys.rollback("b", "a").returncode == 0
    assert keys.texts() == before


def test_kubeadms_failure_is_the_jobs(keys):
    keys.fate("apiserver", "before")
    done = keys.renew("a", "apiserver")
    assert (done.returncode, done.stderr) == (1, b"no luck\n")
    assert (keys.backups / "a/open").exists()


@pytest.mark.parametrize("name", ["apiserver", "scheduler.conf"])
@pytest.mark.parametrize("when", ["between", "within", "after"])
def test_killed_in_the_midst_it_goes_on_and_keeps_what_is_good(keys, name, when):
    before = keys.texts()
    keys.fate(name, when)
    assert keys.renew("a", "apiserver", "scheduler.conf").returncode == (
        0 if (name, when) == ("scheduler.conf", "between") else -9
    )
    whole = {file for file, text in keys.texts().items() if text == before[file]}
    cut = when != "after" and (name, when) != ("scheduler.conf", "between")
    renewed = keys.of_pair()[0]
    done = keys.renew("b", "apiserver", "scheduler.conf")
    assert (done.returncode, done.stderr) == (0, b"")
    assert keys.texts(keys.backups / "a") == before
    assert keys.pair_is_one()
    assert "old" not in keys.texts()["pki/apiserver.crt"] + keys.texts()["scheduler.conf"]
    if cut and name == "apiserver":
        # Nothing that is good differs from what is kept: half a pair is nothing to go back to.
        assert [path.name for path in keys.backups.iterdir()] == ["a"]
        return
    assert {path.name for path in keys.backups.iterdir()} == {"a", "b"}
    kept = keys.texts(keys.backups / "b")
    assert keys.of_pair(keys.backups / "b") == [renewed] * 2
    assert {file for file, text in kept.items() if text == before[file]} >= whole
    if cut:
        assert kept["scheduler.conf"] == before["scheduler.conf"]


def test_what_an_earlier_run_had_begun_is_finished_first(keys):
    keys.fate("apiserver", "between")
    keys.renew("a", "apiserver")
    assert not keys.pair_is_one()
    done = keys.renew("b", "scheduler.conf")
    assert done.returncode == 0
    assert keys.pair_is_one()
    assert keys.calls == ["apiserver", "apiserver", "scheduler.conf"]


def test_what_was_found_half_done_is_not_thrown_away(keys):
    keys.fate("apiserver", "between")
    keys.renew("a", "apiserver")
    keys.put("pki/etcd/server", "upgraded")
    found = (keys.pki / "apiserver.key").read_text()
    assert keys.renew("b", "scheduler.conf").returncode == 0
    assert keys.of_pair(keys.backups / "b") == ["old", "old"]
    assert (keys.backups / "b/pki/apiserver.key.found").read_text() == found


def test_a_renewal_that_failed_once_does_not_stay_open_for_ever(keys):
    """Its kubeadm failed, others renewed by hand: that is what is good a year later, and what is kept."""
    keys.fate("scheduler.conf", "before")
    assert keys.renew("a", "apiserver", "scheduler.conf").returncode == 1
    last_week(keys)
    for name in ("apiserver", "etcd/server"):
        keys.put(f"pki/{name}", "upgraded")
    done = keys.renew("b", "etcd-server")
    assert (done.returncode, done.stdout.decode().splitlines()[-1]) == (0, "backup b")
    assert keys.of_pair(keys.backups / "b") == ["upgraded"] * 2
    assert keys.of_pair(keys.backups / "b", "pki/etcd/server") == ["upgraded"] * 2
    # Nor is what it had not come to renewed with what is asked for now.
    assert keys.calls[2:] == ["etcd-server"]


def test_a_pair_is_known_by_its_public_key_whatever_is_written_about_it(openssl):
    """No backup, no mark: a key that does not belong to its certificate is renewed, too."""
    keys = openssl
    shutil.copy(keys.pool / "upgraded.key", keys.pki / "etcd/server.key")
    done = keys.renew("a", "apiserver")
    assert done.returncode == 0
    assert (
        "pki/etcd/server: the key does not match the certificate, and no backup has a pair that matches"
        in done.stdout.decode()
    )
    assert keys.calls == ["etcd-server", "apiserver"]
    assert keys.of_pair(base="pki/etcd/server") == ["1", "1"]


def test_a_key_that_was_kept_for_a_new_certificate_is_a_pair(keys, pool):
    """An authority elsewhere may have signed the same key once more."""
    text = (pool / "old.crt").read_text()
    (keys.pki / "apiserver.crt").write_text(f"signed once more, {text}\n")
    keys.renew("a", "scheduler.conf")
    assert keys.calls == ["scheduler.conf"]
    assert (keys.pki / "apiserver.crt").read_text().startswith("signed once more")


def test_an_administrators_kubeconfig_without_a_key_is_left_alone(keys):
    keys.write("admin.conf", "users:\n- user:\n    token: abc\n")
    keys.renew("a", "apiserver")
    assert "token" in keys.texts()["admin.conf"]
    assert keys.calls == ["apiserver"]


def test_what_was_seen_to_its_end_is_not_gone_on_with(keys):
    keys.renew("a", "apiserver")
    (keys.backups / "a/open").unlink()
    keys.renew("b", "apiserver")
    assert sorted(path.name for path in keys.backups.iterdir()) == ["a", "b"]
    assert "old" not in keys.texts(keys.backups / "b")["pki/apiserver.crt"]


def last_week(keys: HostOfKeys) -> None:
    """All that was written until now, was written then."""
    for path in (*keys.kubernetes.rglob("*"), *keys.backups.rglob("*")):
        moment = path.stat().st_mtime_ns - 7 * 86400 * 10**9
        os.utime(path, ns=(moment, moment))


@pytest.mark.parametrize("when", ["between", "within"])
def test_what_was_cut_off_last_week_is_finished_as_well(keys, when):
    before = keys.texts()
    keys.fate("apiserver", when)
    keys.renew("a", "apiserver")
    last_week(keys)
    done = keys.renew("b", "scheduler.conf")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().splitlines()[-1] == "backup a"
    assert keys.texts(keys.backups / "a") == before
    assert keys.calls == ["apiserver", "apiserver", "scheduler.conf"]
    assert keys.pair_is_one()


@pytest.mark.usefixtures("units")
def test_what_others_have_renewed_since_is_what_there_was(keys):
    """An upgrade renews certificates, too: what was before an earlier run may have ended long ago."""
    keys.renew("a", "apiserver")
    last_week(keys)
    keys.put("pki/etcd/server", "upgraded")
    assert survey(keys)[-1] == "backup a open"
    assert keys.renew("b", "apiserver").stdout.decode().splitlines()[-1] == "backup b"
    assert "upgraded" in keys.texts(keys.backups / "b")["pki/etcd/server.crt"]


def test_a_rollback_that_was_cut_off_leaves_no_half_pair(keys):
    """Between two of its files: what lies there then is not what anybody would go back to."""
    keys.renew("a", "apiserver", "scheduler.conf")
    renewed = keys.texts()
    last_week(keys)
    program = keys.bin / "mv"
    program.write_text('#!/bin/sh\n/bin/mv "$@"\ncase "$*" in *pki/apiserver.key) kill -9 $PPID ;; esac\n')
    program.chmod(0o755)
    assert keys.rollback("b-before-rollback", "a").returncode == -9
    assert not keys.pair_is_one()
    program.unlink()
    assert keys.renew("c", "scheduler.conf").stdout.decode().splitlines()[-1] == "backup c"
    assert keys.pair_is_one()
    kept = keys.texts(keys.backups / "c")
    assert kept["pki/apiserver.crt"] == renewed["pki/apiserver.crt"]
    assert keys.of_pair(keys.backups / "c") in (["1", "1"], ["old", "old"])


def test_half_a_backup_is_none_and_goes(keys):
    (keys.backups / ".x.part/pki").mkdir(parents=True)
    keys.renew("a", "apiserver")
    assert [path.name for path in keys.backups.iterdir()] == ["a"]


def test_a_rollback_brings_the_files_back_and_keeps_what_they_replace(keys):
    before = keys.texts()
    keys.renew("a", "apiserver", "scheduler.conf")
    renewed = keys.texts()
    done = keys.rollback("b-before-rollback", "a")
    assert (done.returncode, done.stderr) == (0, b"")
    assert keys.texts() == before
    assert keys.texts(keys.backups / "b-before-rollback") == renewed
    assert not (keys.backups / "a/open").exists()
    assert not (keys.backups / "b-before-rollback/open").exists()
    assert stat.S_IMODE((keys.pki / "apiserver.key").stat().st_mode) == 0o600


def test_what_was_brought_back_is_younger_than_who_has_read_what_was_there(keys):
    long_ago = time.time() - 86400
    os.utime(keys.kubernetes / "scheduler.conf", (long_ago, long_ago))
    keys.renew("a", "scheduler.conf")
    keys.rollback("b", "a")
    assert time.time() - (keys.kubernetes / "scheduler.conf").stat().st_mtime < 60


def test_a_rollback_run_twice_is_the_same(keys):
    before = keys.texts()
    keys.renew("a", "apiserver")
    keys.rollback("b", "a")
    moment = (keys.pki / "apiserver.crt").stat().st_mtime_ns
    assert keys.rollback("b", "a").returncode == 0
    assert keys.texts() == before
    assert (keys.pki / "apiserver.crt").stat().st_mtime_ns == moment


@pytest.mark.parametrize("name", ["pki/ca.crt", "pki/etcd/ca.key"])
def test_it_is_refused_where_an_authority_is_another_one(keys, name):
    keys.renew("a", "apiserver")
    keys.write(name, "another")
    before = keys.texts()
    done = keys.rollback("b", "a")
    assert done.returncode == 1
    assert b"is not the one of backup a" in done.stderr
    assert keys.texts() == before


@pytest.mark.parametrize("end", [0, -1])
def test_a_backup_that_has_ended_is_refused_by_the_hosts_own_clock(keys, end):
    """By what the plan has read of it, which may be long ago."""
    keys.renew("a", "apiserver")
    before = keys.texts()
    done = keys.rollback("b", "a", str(int(time.time()) + end))
    assert (done.returncode, b"backup a holds expired certificates" in done.stderr) == (1, True)
    assert keys.texts() == before
    assert not (keys.backups / "b").exists()


@pytest.mark.parametrize("which", ["pki/apiserver", "scheduler.conf"])
def test_a_certificate_that_has_ended_is_not_brought_back(openssl, which):
    """Whatever the plan has read."""
    keys = openssl
    if which == "scheduler.conf":
        shutil.copy(keys.pool / "expired.conf", keys.kubernetes / which)
    else:
        keys.put(which, "expired")
    keys.renew("a", "apiserver", "scheduler.conf")
    renewed = keys.texts()
    done = keys.rollback("b", "a")
    assert (done.returncode, b"of backup a has expired" in done.stderr) == (1, True)
    assert keys.texts() == renewed
    assert keys.rollback("b", "a", "-").returncode == 0
    assert keys.texts() != renewed


def test_half_a_pair_is_not_brought_back(openssl):
    keys = openssl
    keys.renew("a", "apiserver")
    shutil.copy(keys.pool / "upgraded.key", keys.backups / "a/pki/apiserver.key")
    before = keys.texts()
    done = keys.rollback("b", "a")
    assert (done.returncode, b"does not match its key" in done.stderr) == (1, True)
    assert keys.texts() == before


def test_there_must_be_such_a_backup(keys):
    done = keys.rollback("b", "nothing")
    assert (done.returncode, done.stderr) == (1, b"there is no backup nothing\n")


SYSTEMCTL = """#!/bin/sh
shift
state=$(cat "{folder}/state-of-$1" 2> /dev/null || cat "{folder}/state-of-$2" 2> /dev/null || echo inactive)
[ "$1" = --quiet ] || echo "$state"
[ "$state" = active ]
"""


@pytest.fixture
def units(keys: HostOfKeys) -> Path:
    """A stand-in for systemctl, for whom the kubelet is active."""
    program = keys.bin / "systemctl"
    program.write_text(SYSTEMCTL.format(folder=keys.folder))
    program.chmod(0o755)
    (keys.folder / "state-of-kubelet").write_text("active")
    return keys.folder


def survey(keys: HostOfKeys) -> list[str]:
    done = keys.shell.ended("certs-survey", keys.state, keys.kubernetes, "certs", path=str(keys.bin))
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().removesuffix("\n# end\n").splitlines()


@pytest.mark.usefixtures("units")
def test_the_survey_says_what_a_renewal_meets(keys):
    keys.renew("a", "apiserver")
    (keys.backups / "a/open").unlink()
    keys.renew("b", "apiserver")
    (keys.backups / ".c.part").mkdir()
    assert survey(keys) == [
        "kubeadm v1.37.2",
        "kubelet active",
        "kubelet.conf embedded",
        "backup a whole",
        "backup b open",
    ]


def test_the_survey_sees_an_earlier_runs_job(keys, units):
    (keys.state / "certs").mkdir()
    (keys.state / "certs/owner").write_text("ann@laptop b 1 2\n")
    keys.write("kubelet.conf", "client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem\n")
    hour = time.time() - 3600
    (keys.state / "certs/result").write_text("0\n")
    os.utime(keys.state / "certs/result", (hour, hour))
    (said,) = survey(keys)[2:]
    assert said.split()[:2] == ["job", "no"]
    assert 3600 <= int(said.split()[2]) < 3700
    assert said.endswith(" ann@laptop b 1 2")
    (units / "state-of-kubectl-admin-certs.service").write_text("active")
    assert survey(keys)[2].startswith("job yes ")


@pytest.fixture(scope="module", autouse=True)
def sleepers(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[dict[str, subprocess.Popen[bytes]]]":
    """A process for each shell, of a name that is longer than the kernel keeps."""
    folder = tmp_path_factory.mktemp("sleepers")
    started = {}
    for name in ("dash", "busybox"):
        program = folder / component(name)
        program.symlink_to("/usr/bin/sleep")
        started[name] = subprocess.Popen([program, "600"])
    yield started
    for process in started.values():
        process.kill()
        process.wait()


def component(shell: str) -> str:
    """What a shell's process is called: with this run's number, since others run these tests beside it."""
    return f"{shell}-{os.getpid()}-controller-manager"


@pytest.fixture
def sleeper(keys: HostOfKeys, sleepers: "dict[str, subprocess.Popen[bytes]]") -> "subprocess.Popen[bytes]":
    """This shell's."""
    return sleepers[keys.shell.name]


def restart(keys: HostOfKeys, since: int, uid: str = "/") -> "subprocess.CompletedProcess[bytes]":
    """This machine's processes are looked at; all of them have a «/» in their cgroups."""
    words = (component(keys.shell.name), uid, str(since), "1")
    return keys.shell.ended("certs-restart", *words, path=str(keys.bin))


@pytest.mark.usefixtures("units", "sleeper")
def test_a_process_younger_than_its_file_is_left_alone(keys):
    assert restart(keys, int(time.time()) - 3600).stdout == b"young\n\n# end\n"


def test_nothing_is_ended_where_no_kubelet_would_start_it_again(keys, units, sleeper):
    (units / "state-of-kubelet").unlink()
    done = restart(keys, int(time.time()) - 3)
    assert (done.returncode, b"the kubelet is not running" in done.stderr) == (1, True)
    assert sleeper.poll() is None


def test_a_kubelet_that_is_started_again_and_again_starts_nothing(keys, units, sleeper):
    (units / "state-of-kubelet").write_text("activating")
    done = restart(keys, int(time.time()) - 3)
    assert (done.returncode, b"the kubelet is not running" in done.stderr) == (1, True)
    assert sleeper.poll() is None


@pytest.mark.usefixtures("units")
def test_a_process_outside_of_the_pod_is_nobodys(keys, sleeper):
    done = restart(keys, int(time.time()) - 3, uid="0123456789abcdef0123456789abcdef")
    assert (done.returncode, b"is not running" in done.stderr) == (1, True)
    assert sleeper.poll() is None


@pytest.mark.usefixtures("units")
def test_an_older_one_is_asked_to_end_and_its_successor_waited_for(keys, sleeper):
    """Nobody starts one here, which is said."""
    born = Path(f"/proc/{sleeper.pid}").stat().st_ctime
    done = restart(keys, int(born))
    assert done.returncode == 1
    assert b"was stopped, and the kubelet has not restarted it" in done.stderr
    assert sleeper.wait(60) == -15

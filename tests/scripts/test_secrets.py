"""No script hands a secret to a program as an argument, or in its environment."""

import base64
from collections.abc import Iterator

import pytest

from tests.scripts.test_certs import HostOfKeys, pool
from tests.scripts.test_certs_kubelet import PAIR, Kubelet, running_kubelet
from tests.scripts.test_packages_jobs import KEYRING, LIST, NEW, node
from tests.scripts.watch import Watch, forms, watched

__all__ = ["pool"]

SECRET = "MHcCAQEEIKNWTFAnYXmXoN0bcQW5Hq0sJ3Pq9y2kCkS3b9Uo"


@pytest.fixture
def watch(shell, tmp_path_factory) -> Watch:
    return watched(shell, tmp_path_factory.mktemp("watch"))


@pytest.fixture
def kubelet(tmp_path, watch) -> Iterator[Kubelet]:
    """A kubelet whose key is the secret."""
    with running_kubelet(tmp_path, watch.shell) as kubelet:
        for link in (kubelet.client, kubelet.server):
            link.resolve().write_text(PAIR.format(SECRET))
        yield kubelet


def refuse_leaks(watch: Watch, *programs: str, secret: str = SECRET) -> None:
    """The programs were seen at work, and nothing that was seen holds the secret."""
    seen = watch.seen()
    for program in programs:
        assert f"{program}\n".encode() in seen
    assert not [form for form in forms(secret) if form in seen]


def test_the_watch_sees_a_secret(watch, tmp_path):
    """As it is, embedded in base64 at whatever place, and in the environment."""
    for shift in range(3):
        folder = tmp_path / str(shift)
        folder.mkdir()
        text = base64.b64encode(("x" * shift + SECRET + "yz").encode()).decode()
        watch.shell.ended("workspace", folder, text)
        watch.shell.ended("workspace", folder / text, "ann")
    assert sum(form in watch.seen() for form in forms(SECRET)) == 3
    watch.shell.ended("workspace", tmp_path / SECRET, "ann")
    assert all(form in watch.seen() for form in forms(SECRET))


@pytest.mark.parametrize("fate", ["", "unsigned", "dead"])
def test_a_kubelets_key_is_no_argument(kubelet, watch, fate):
    kubelet.fate(fate)
    kubelet.rotate("client")
    assert kubelet.restarts
    refuse_leaks(watch, "awk", "base64", "mv")


def test_an_embedded_key_is_no_argument(kubelet, watch):
    kubelet.embeds(SECRET)
    kubelet.client.unlink()
    assert kubelet.rotate("client").returncode == 0
    refuse_leaks(watch, "awk", "base64")


def test_what_a_kubelet_serves_with_is_no_argument(kubelet, watch):
    kubelet.signed()
    assert kubelet.rotate("serving").returncode == 0
    refuse_leaks(watch, "mv")


def test_kubeadms_keys_are_no_arguments(tmp_path, watch, pool):
    keys = HostOfKeys(tmp_path, watch.shell, pool)
    keys.fate("apiserver", "within")
    keys.renew("a", "apiserver", "scheduler.conf")
    assert keys.renew("b", "apiserver", "scheduler.conf").returncode == 0
    assert keys.rollback("c", "a").returncode == 0
    watch.shell.run("certificates", keys.pki, "kubeconfig", "admin.conf", keys.kubernetes / "admin.conf")
    for secret in keys.secrets():
        refuse_leaks(watch, "cp", "cmp", "awk", secret=secret)


def test_files_that_are_read_and_written_are_no_arguments(tmp_path, watch, me):
    file = tmp_path / "admin.conf"
    text = SECRET.encode()
    sum_ = "b0bd4a3a4ab4e2dc0b2b3f8a07c9d2e6"  # another one, so that nothing is replaced
    watch.shell.ended("write", file, str(len(text)), sum_, "600", me, given=text)
    file.write_text(SECRET)
    assert SECRET.encode() in watch.shell.run("read", file, "1000")
    refuse_leaks(watch, "cat", "sha256sum")


# What fetches is told the address by stdin, and where to put it by a flag.
FETCH = """cat > STATE/asked
while [ "$1" != {flag} ]; do shift; done
cat STATE/key > "$2" """


@pytest.mark.parametrize("program", ["curl", "wget"])
def test_a_password_in_a_repositorys_address_is_no_argument_and_not_written_down(tmp_path, watch, program):
    host = node(tmp_path, watch.shell)
    entry = f"deb [signed-by={tmp_path}{KEYRING}] http://ann:{SECRET}@x/core:/v1.36/deb/ /\n"
    host.file(LIST).write_text(entry)
    watch.forget("curl")
    (host.root / "bin/curl").unlink()
    host.program(program, FETCH.format(flag="-o" if program == "curl" else "-O"))
    done = host.run("packages-prepare", NEW, "37", "yes")
    assert done.returncode == 0, done.stdout
    assert f"http://ann:{SECRET}@x/core:/v1.37/deb/Release.key" in host.get("asked")
    assert "list of http://x/core:/v1.37/deb/" in done.stdout
    refuse_leaks(watch, "awk")
    assert SECRET not in done.stdout + done.stderr + "\n".join(host.journal())

"""`kubectl admin etcd-open --local` on snapshots of a real API server's etcd, opened by real programs."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.apiserver.conftest import NAME
from tests.apiserver.stored import configuration, provider, saved, serve
from tests.apiserver.test_etcd_diff import definition, listed, one
from tests.lab import cache
from tests.lab.api import api_only
from tests.lab.nodes import lab
from tests.lab.progress import Progress
from tests.lab.versions import RELEASES
from tests.permissions import Stage
from tests.program import Child, Ended, environ, run, signalled, start

pytestmark = pytest.mark.lab

SEALED = "test-open"  # a lab
SPACE = "etcd-open"
GROUP = "open.example.com"
WAIT_TIMEOUT = 120  # seconds; nothing here takes so long
SECRET = "opened!"


def programs(directory: Path, release: int = 0) -> Path:
    """The three programs of one of the lab's releases in a directory."""
    row = RELEASES[release]
    directory.mkdir()
    binaries = cache.root() / "bin"
    for name, home in (
        ("etcd", f"etcd-{row.etcd}"),
        ("etcdutl", f"etcd-{row.etcd}"),
        ("kube-apiserver", f"kubernetes-{row.kubernetes}"),
    ):
        (directory / name).symlink_to(binaries / home / name)
    return directory


def converted() -> dict[str, Any]:
    """A definition whose older version only a webhook makes."""
    made = definition("Widget", "widgets", "Namespaced")
    made["metadata"]["name"] = f"widgets.{GROUP}"
    made["spec"]["group"] = GROUP
    (version,) = made["spec"]["versions"]
    made["spec"]["versions"] = [version, {**version, "name": "v0", "storage": False}]
    service = {"name": "nobody", "namespace": SPACE, "path": "/convert"}
    webhook = {"conversionReviewVersions": ["v1"], "clientConfig": {"service": service}}
    made["spec"]["conversion"] = {"strategy": "Webhook", "webhook": webhook}
    return made


@pytest.fixture(scope="module")
def snapshot(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot with a namespace whose objects are deleted since."""
    things = [
        one("ConfigMap", "kept", data={"answer": "42"}),
        one("Secret", "kept", stringData={"password": SECRET}),
        one("Widget", "kept", f"{GROUP}/v1"),
        one("Service", "nobody", spec={"ports": [{"port": 443}]}),
    ]
    for thing in things:
        thing["metadata"]["namespace"] = SPACE
    crd = f"crd/widgets.{GROUP}"
    stage.kubectl("create", "namespace", SPACE)
    try:
        stage.kubectl("create", "-f", "-", given=converted())
        stage.kubectl("wait", "--for=condition=Established", "--timeout=60s", crd)
        stage.kubectl("create", "-f", "-", given=listed(things))
        file = saved(NAME, tmp_path_factory.mktemp("open") / "snapshot.db")
    finally:
        stage.kubectl("delete", "-f", "-", "--ignore-not-found", "--wait=false", given=listed(things))
        stage.kubectl("delete", "--ignore-not-found", "--wait=false", crd)
        stage.kubectl("delete", "--wait=false", "namespace", SPACE)
    return file


@pytest.fixture
def room(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a run, with directories of its own; nothing is left in them, and no process."""
    own = {}
    for name in ("TMPDIR", "XDG_RUNTIME_DIR"):
        path = tmp_path / name
        path.mkdir(mode=0o700)
        own[name] = str(path)
    yield environ(**own)
    settle(tmp_path)
    assert [path for name in own for path in (tmp_path / name).iterdir()] == []


def settle(directory: Path) -> None:
    """Waits until no process works below a directory, and nothing is in its directories."""
    script = """
        while :; do
          found=
          for process in /proc/[0-9]*; do
            case $(readlink "$process/cwd" 2> /dev/null) in "$1"*) found=$process ;; esac
          done
          for left in "$1"/TMPDIR/* "$1"/XDG_RUNTIME_DIR/*; do [ ! -e "$left" ] || found=$left; done
          [ -n "$found" ] || exit 0
          sleep 0.1
        done
    """
    subprocess.run(["sh", "-c", script, "settle", str(directory)], check=True, timeout=WAIT_TIMEOUT)


@pytest.fixture(scope="module")
def bin_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return programs(tmp_path_factory.mktemp("programs") / "bin")


def opened(
    snapshot: Path, room: dict[str, str], directory: Path, *command: str, options: tuple[str, ...] = ()
) -> Ended:
    """A command that looks into the snapshot."""
    local = ("--local", "--bin", str(directory), *options)
    return run("etcd-open", *local, str(snapshot), "--", *command, env=room)


def test_objects_that_are_deleted_since_are_read(
    snapshot: Path, room: dict[str, str], bin_directory: Path, stage: Stage
) -> None:
    assert SPACE not in stage.kubectl("get", "configmaps", "-A", "--output=name")
    kubectl = f"""
        set -e
        kubectl -n {SPACE} get configmap kept -o 'jsonpath={{.data.answer}}{{"\\n"}}'
        kubectl -n {SPACE} get secret kept -o 'jsonpath={{.data.password}}' | base64 -d; echo
        kubectl -n {SPACE} get widgets.v1.{GROUP} -o name
        kubectl api-resources > /dev/null
        kubectl explain deployment.spec > /dev/null
        kubectl get all -A > /dev/null
        kubectl auth can-i get secrets -A
        kubectl auth whoami -o 'jsonpath={{.status.userInfo.username}}'
    """
    ended = opened(snapshot, room, bin_directory, "sh", "-c", kubectl)
    assert ended.out.splitlines() == ["42", SECRET, f"widget.{GROUP}/kept", "yes", "kubectl-admin-past"]
    assert f"CustomResourceDefinition widgets.{GROUP}: v0 can't be read" in ended.err
    assert f"read widgets.v1.{GROUP}" in ended.err
    assert ended.code == 0


def test_nothing_can_be_changed(snapshot: Path, room: dict[str, str], bin_directory: Path) -> None:
    refused = [
        "create namespace another",
        f"-n {SPACE} delete configmap kept",
        f"-n {SPACE} label configmap kept a=b",
        f"-n {SPACE} delete configmap --all",
        f"-n {SPACE} create token default",
        "get --raw /healthz --as=system:admin --as-group=system:masters",
    ]
    script = "".join(f"! kubectl {words} 2>&1 || exit 9\n" for words in refused)
    script += f"""
        kubectl auth can-i create pods | grep -q ^no || exit 8
        server=$(kubectl config view -o 'jsonpath={{.clusters[0].cluster.server}}')
        [ "$(curl -sk -o /dev/null -w '%{{http_code}}' "$server/api")" = 401 ] || exit 7
        [ "$(kubectl -n {SPACE} get configmap kept -o 'jsonpath={{.metadata.labels}}')" = '' ] || exit 6
    """
    ended = opened(snapshot, room, bin_directory, "sh", "-c", script)
    assert ended.code == 0, ended
    assert ended.out.count("forbidden") + ended.out.count("Forbidden") >= len(refused)


def test_nobody_is_reached(snapshot: Path, room: dict[str, str], bin_directory: Path) -> None:
    read = ("kubectl", "-n", SPACE, "get", f"widgets.v0.{GROUP}")
    ended = opened(snapshot, room, bin_directory, *read)
    assert ended.code == 1
    assert "a-snapshot-that-is-opened-reaches-nobody" in ended.err


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -TERM $$", 143)])
def test_the_exit_code_is_the_commands(
    snapshot: Path, room: dict[str, str], bin_directory: Path, script: str, code: int
) -> None:
    assert opened(snapshot, room, bin_directory, "sh", "-c", script).code == code


def stays_open(process: "Child[str]") -> str:
    """The kubeconfig of a run that stays open, which works."""
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith("export KUBECONFIG=")
    path = line.partition("=")[2].strip()
    assert (Path(path).stat().st_mode & 0o777, Path(path).parent.stat().st_mode & 0o777) == (0o600, 0o700)
    kubectl = ["kubectl", f"--kubeconfig={path}", "-n", SPACE, "get", "configmap", "kept", "-o", "name"]
    done = subprocess.run(kubectl, check=True, capture_output=True, text=True, timeout=WAIT_TIMEOUT)
    assert done.stdout == "configmap/kept\n"
    return path


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)],
)
def test_it_stays_open_until_it_is_ended(
    snapshot: Path, room: dict[str, str], bin_directory: Path, number: int, code: int
) -> None:
    local = ("--local", "--bin", str(bin_directory), str(snapshot))
    with start("etcd-open", *local, env=room) as process:
        path = stays_open(process)
        with signalled(process, number):
            process.wait(WAIT_TIMEOUT)
    assert process.returncode == code
    settle(Path(room["TMPDIR"]).parent)
    assert not Path(path).exists()


def test_an_interrupt_while_it_is_opened_leaves_nothing(
    snapshot: Path, room: dict[str, str], bin_directory: Path
) -> None:
    """At the moment in which the API server starts."""
    local = ("--local", "--bin", str(bin_directory), str(snapshot))
    with start("etcd-open", *local, env=room) as process:
        script = 'until ls "$1"/*/kube-apiserver.pid > /dev/null 2>&1; do sleep 0.02; done'
        subprocess.run(["sh", "-c", script, "wait", room["TMPDIR"]], check=True, timeout=WAIT_TIMEOUT)
        with signalled(process, signal.SIGINT):
            process.wait(WAIT_TIMEOUT)
    assert process.returncode == 130


def test_a_program_that_ends_is_told(snapshot: Path, room: dict[str, str], bin_directory: Path) -> None:
    """Of a run that stays open."""
    local = ("--local", "--bin", str(bin_directory), str(snapshot))
    with start("etcd-open", *local, env=room) as process:
        stays_open(process)
        (file,) = Path(room["TMPDIR"]).glob("*/etcd.pid")
        os.kill(int(file.read_text(encoding="ascii")), signal.SIGKILL)
        process.wait(WAIT_TIMEOUT)
        assert process.stderr
        assert "etcd was killed" in process.stderr.read()
    assert process.returncode == 1


def test_a_snapshot_of_the_minor_before_is_opened(
    snapshot: Path, room: dict[str, str], tmp_path: Path
) -> None:
    newer = programs(tmp_path / "newer", 1)
    ended = opened(snapshot, room, newer, "kubectl", "-n", SPACE, "get", "configmap", "kept", "-o", "name")
    assert (ended.code, ended.out) == (0, "configmap/kept\n"), ended


def test_what_is_damaged_is_refused(snapshot: Path, room: dict[str, str], bin_directory: Path) -> None:
    bad = snapshot.with_name("bad.db")
    content = bytearray(snapshot.read_bytes())
    content[len(content) // 2] ^= 1
    bad.write_bytes(content)
    ended = opened(bad, room, bin_directory, "true")
    assert ended.code == 1
    assert "can't be opened, since it is damaged or no snapshot" in ended.err


def test_a_newer_snapshot_is_refused(snapshot: Path, room: dict[str, str], tmp_path: Path) -> None:
    older = programs(tmp_path / "older")
    for name in ("etcd", "etcdutl"):
        (older / name).unlink()
        (older / name).symlink_to(cache.root() / "bin/etcd-3.5.35" / name)
    ended = opened(snapshot, room, older, "true")
    assert ended.code == 1
    assert "can't be opened: etcd 3.6 made it, and that of this machine is 3.5.35" in ended.err


def test_the_past_is_not_changed(
    snapshot: Path, room: dict[str, str], bin_directory: Path, tmp_path: Path
) -> None:
    """After some reads it has the same objects; a record that no request shows may differ."""
    after = tmp_path / "after.db"
    etcdctl = cache.root() / f"bin/etcd-{RELEASES[0].etcd}/etcdctl"
    script = f"""
        kubectl get all -A > /dev/null
        cd {room["TMPDIR"]}/*/
        {etcdctl} --endpoints=unix://clients.sock:0 snapshot save {after} > /dev/null
    """
    assert opened(snapshot, room, bin_directory, "sh", "-c", script).code == 0
    items = json.loads(run("etcd-diff", str(snapshot), str(after), "-o", "json").out)["items"]
    changed = {(each["kind"], each["name"], each["difference"]) for each in items if not each["noise"]}
    assert {each for each in changed if each[0] != "RangeAllocation"} == set()


def test_secrets_that_are_encrypted_are_read_with_the_key(
    room: dict[str, str], bin_directory: Path, tmp_path: Path
) -> None:
    api_only.down(SEALED)
    try:
        kubeconfig = api_only.up(
            SEALED, RELEASES[0].kubernetes, 1, Progress(f"lab {SEALED}", lab.folder_of(SEALED) / "logs").say
        )
        config = configuration(provider("aescbc", "key1", b"k" * 32))
        serve(SEALED, config)
        stage = Stage(kubeconfig, [], RELEASES[0].kubernetes, lambda _: kubeconfig)
        stage.kubectl(
            "-n", "default", "create", "secret", "generic", "kept", f"--from-literal=password={SECRET}"
        )
        file = saved(SEALED, tmp_path / "sealed.db")
    finally:
        api_only.down(SEALED)
    keys = tmp_path / "encryption.json"
    keys.write_text(json.dumps(config), encoding="utf-8")
    read = ("kubectl", "-n", "default", "get", "secret", "kept", "-o", "jsonpath={.data.password}")
    ended = opened(file, room, bin_directory, *read, options=("--encryption-provider-config", str(keys)))
    assert (ended.code, ended.err.count("secrets: those that are encrypted by")) == (0, 0), ended
    assert ended.out == "b3BlbmVkIQ=="
    ended = opened(file, room, bin_directory, *read)
    assert (ended.code, ended.err.count("secrets: those that are encrypted by")) == (1, 1), ended

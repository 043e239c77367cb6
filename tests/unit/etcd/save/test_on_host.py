"""A snapshot taken on a host that is this machine, by its own scripts, from an etcdctl that is a script."""

import json
import os
import random
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members.flags import Access
from kubectl_admin.etcd.save import on_host as module
from kubectl_admin.etcd.save.choose_member import OUTSIDE, Source
from kubectl_admin.etcd.save.on_host import Survey, choose_tool, download, refuse_full, survey, within
from kubectl_admin.node import workspace
from kubectl_admin.node.fetch import Transfer
from kubectl_admin.node.jobs import Ended
from kubectl_admin.node.script import Script
from kubectl_admin.node.unpacking import Tool
from tests.fakes.host import Machine, host_of
from tests.unit.etcd.members.samples import LEADER
from tests.unit.node.conftest import SYSTEM

SIZE = 90_000
CONTENT = random.Random(5).randbytes(100_000)
ETCDCTL = """#!/bin/sh
printf '%s|' "$@" >> FOLDER/calls
echo >> FOLDER/calls
case " $* " in
  *unreachable*) echo '{"level":"warn"}' >&2; echo "Error: context deadline exceeded" >&2; exit 1 ;;
  *" endpoint status "*) cat FOLDER/status ;;
  *" snapshot save "*)
    if [ -e FOLDER/hangs ]; then for last; do :; done; echo beginning > "$last.part"; exit 0; fi
    if [ -e FOLDER/words ]; then cat FOLDER/words >&2; exit 1; fi
    for last; do :; done
    cp FOLDER/content "$last.part"
    mv "$last.part" "$last"
    ;;
esac
"""
ANSWER = [
    {
        "Endpoint": "x",
        "Status": {
            "header": {"cluster_id": 0x1F446A79E5D49D70, "member_id": LEADER, "revision": 5},
            "version": "3.6.8",
            "leader": LEADER,
            "dbSize": SIZE,
        },
    }
]
HTTPS = Access("https://10.0.0.1:2379", True, "/pki/ca.crt", "/pki/a.crt", "/pki/a.key")
SOURCE = Source("cp-1", OUTSIDE, "", (HTTPS,))


class World:
    """A host with an etcdctl. state: the folder of all operations there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.etcdctl = self.bin / "etcdctl"
        self.etcdctl.write_text(ETCDCTL.replace("FOLDER", str(folder)))
        self.etcdctl.chmod(0o755)
        (folder / "status").write_text(json.dumps(ANSWER))
        (folder / "content").write_bytes(CONTENT)
        self.machine = Machine(f"{self.bin}:{SYSTEM}")
        self.said: list[str] = []
        self.host = host_of(self.machine, self.said)
        self.sent = bytearray()

    def save(self, source: Source = SOURCE, sink=None, **options):
        """What a save comes to; what it hands on is in `sent`."""
        return download(
            self.host,
            source,
            sink or self.sent.extend,
            transfer=lambda tool: Transfer(tool, lambda *_: None),
            **{"start": start, **options},
        )

    def calls(self) -> list[list[str]]:
        """The arguments of every run of etcdctl."""
        return [line.split("|")[:-1] for line in (self.folder / "calls").read_text().splitlines()]

    def left(self) -> list[Path]:
        return list(self.state.rglob("*")) if self.state.exists() else []


def start(host, _name: str, folder: str, script: Script, arguments: list[str]):
    """A job without systemd, that is done at once."""
    Path(folder).mkdir()
    done = subprocess.run(
        ["/bin/sh", "-c", script.text(), script.name, *arguments],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    Path(folder, "result").write_text(f"{done.returncode}\n")
    ended = Ended(done.returncode, done.stdout)
    return SimpleNamespace(host=host, unit="", wait=lambda: ended, runs=lambda: False)


@pytest.fixture
def world(tmp_path, monkeypatch):
    world = World(tmp_path)
    for each in (module, workspace):
        monkeypatch.setattr(each, "STATE", str(world.state))
    return world


@pytest.mark.parametrize(("tool", "packed"), [(None, "zstd"), *((tool, str(tool)) for tool in Tool)])
def test_a_snapshot_comes_home_and_nothing_stays(world, tool, packed):
    saved = world.save(tool=tool)
    assert world.sent == CONTENT
    assert (saved.endpoint, saved.cluster_id, saved.tool) == (HTTPS.endpoint, "1f446a79e5d49d70", packed)
    assert saved.member_id == "9d806c50726f9643"
    assert (saved.fetched.size, saved.fetched.cuts) == (len(CONTENT), 0)
    assert set(saved.seconds) == {"prepare", "fetch"}
    assert not world.state.exists()
    assert world.said == []


@pytest.mark.parametrize("wanted", [(0x1F446A79E5D49D70, LEADER + 1), (0x29A, LEADER)])
def test_another_member_than_the_chosen_one_saves_nothing(world, wanted):
    cluster_id, member_id = wanted
    with pytest.raises(AdminError, match="member 9d806c50726f9643 of cluster 1f446a79e5d49d70 answers there"):
        world.save(replace(SOURCE, cluster_id=cluster_id, member_id=member_id))
    assert [call[-3:-1] for call in world.calls() if "save" in call] == []
    assert world.save(replace(SOURCE, cluster_id=0x1F446A79E5D49D70, member_id=LEADER)).fetched.size


def test_an_etcdctl_that_hangs_is_given_up_and_nothing_stays(world):
    def hanging(*arguments):
        job = start(*arguments)
        Path(arguments[2], "result").unlink()
        return SimpleNamespace(host=job.host, unit="", wait=lambda: pytest.fail("waits"), runs=lambda: True)

    (world.folder / "hangs").touch()
    with pytest.raises(AdminError) as refused:
        world.save(patience=1.0, start=hanging)
    assert "etcd has sent no more of its snapshot for 1s" in refused.value.what
    assert "has not grown for 1s beyond 10 bytes" in refused.value.what
    assert "--timeout" in refused.value.hint
    assert not world.state.exists()


def test_etcdctl_is_told_how_to_speak_to_the_member(world):
    world.save()
    status, snapshot = world.calls()
    flags = {
        "--endpoints=https://10.0.0.1:2379",
        "--cacert=/pki/ca.crt",
        "--cert=/pki/a.crt",
        "--key=/pki/a.key",
    }
    assert flags <= set(status)
    assert flags == set(snapshot[:-3])
    assert snapshot[-3:-1] == ["snapshot", "save"]
    assert snapshot[-1].startswith(str(world.state))


@pytest.mark.parametrize(
    ("access", "flags"),
    [
        (Access("http://10.0.0.1:2379"), []),
        # The member's certificate is its own (--auto-tls).
        (Access("https://10.0.0.1:2379", True), ["--insecure-skip-tls-verify"]),
        (Access("https://10.0.0.1:2379", True, "/pki/ca.crt"), ["--cacert=/pki/ca.crt"]),
    ],
)
def test_a_member_that_asks_for_less_is_told_less(world, access, flags):
    world.save(Source("cp-1", OUTSIDE, "", (access,)))
    assert [call[1 : 1 + len(flags)] for call in world.calls()] == [flags, flags]
    assert world.calls()[1][1 + len(flags)] == "snapshot"


def test_the_first_member_that_answers_is_taken(world):
    others = (Access("https://unreachable:2379", True), HTTPS, Access("https://never-asked:2379", True))
    assert world.save(Source("cp-1", OUTSIDE, "", others)).endpoint == HTTPS.endpoint


def test_no_member_answers(world):
    with pytest.raises(
        AdminError, match=r"node cp-1: .*etcdctl endpoint status at https://unreachable:2379: context"
    ):
        world.save(Source("cp-1", OUTSIDE, "", (Access("https://unreachable:2379", True),)))
    assert world.left() == []


def test_an_api_server_that_names_no_etcd(world):
    with pytest.raises(AdminError, match="node cp-1: the API server names no etcd"):
        world.save(Source("cp-1", OUTSIDE, "", ()))


def test_etcd_gives_no_snapshot_in_its_own_words(world):
    (world.folder / "words").write_text(
        '{"level":"info","msg":"created temporary db file"}\nError: snapshot: no space left on device\n'
    )
    with pytest.raises(AdminError) as failed:
        world.save()
    assert failed.value.what == "node cp-1: etcd gave no snapshot: snapshot: no space left on device"
    assert world.left() == []


def test_etcd_gives_no_snapshot_without_a_word(world):
    (world.folder / "words").write_text("")
    with pytest.raises(AdminError, match="etcdctl failed with exit code 1"):
        world.save()


def test_a_job_that_somebody_has_ended_is_not_waited_for(world):
    """The host was started anew, or the unit stopped: the file never becomes complete."""
    systemctl = world.bin / "systemctl"
    systemctl.write_text(
        "#!/bin/sh\n[ \"$*\" != 'is-active kubectl-admin-x' ] || { echo inactive; exit 3; }\n"
    )
    systemctl.chmod(0o755)

    def lost(*_: object):
        return SimpleNamespace(
            host=world.host, unit="kubectl-admin-x", wait=lost_for_good, runs=lambda: False
        )

    def lost_for_good():
        raise AdminError("node cp-1: kubectl-admin-x stopped before it was done")

    with pytest.raises(AdminError, match="kubectl-admin-x stopped before it was done"):
        world.save(start=lost)
    assert world.left() == []


def full(_data: bytes) -> None:
    """Takes nothing more."""
    raise AdminError("the disk here is full")


def test_what_receives_it_fails_and_nothing_stays(world):
    with pytest.raises(AdminError, match="the disk here is full"):
        world.save(sink=full)
    assert world.left() == []


def test_what_fails_here_does_not_wait_for_etcdctl(world):
    def never_done(*arguments):
        job = start(*arguments)
        job.wait = lambda: pytest.fail("it was waited for")
        return job

    with pytest.raises(AdminError, match="the disk here is full"):
        world.save(sink=full, start=never_done)


def test_there_is_no_room_here_and_nothing_is_begun(world):
    def room(_size: int) -> None:
        raise AdminError("no room here")

    with pytest.raises(AdminError, match="no room here"):
        world.save(room=room)
    assert not world.state.exists()
    assert len(world.calls()) == 1


def test_room_for_a_database_that_is_elsewhere_is_asked_for_as_the_member_says(world):
    asked = []
    world.save(room=asked.append)
    assert asked == [SIZE]


def test_there_is_no_room_there_and_nothing_is_begun(world, monkeypatch):
    monkeypatch.setattr(module, "RESERVE", 1 << 60)
    with pytest.raises(AdminError) as refused:
        world.save()
    assert f"MiB are free for {world.state}, and the snapshot needs 1099511627777 MiB" in refused.value.what
    assert "--node" in str(refused.value.hint)
    assert not world.state.exists()


def test_an_etcdctl_that_is_named(world):
    elsewhere = world.folder / "etcdctl-of-mine"
    world.etcdctl.rename(elsewhere)
    with pytest.raises(AdminError) as missing:
        world.save()
    assert missing.value.what == "node cp-1: no etcdctl on PATH"
    assert missing.value.hint == "name one on that host with --etcdctl"
    world.save(etcdctl=str(elsewhere))
    assert world.sent == CONTENT


def test_a_container_that_is_gone(world):
    with pytest.raises(AdminError, match="node cp-1: no etcdctl in the container of its etcd"):
        world.save(Source("cp-1", "f" * 64, "/var/lib/etcd", (HTTPS,)))


def surveyed(answer: bytes, etcdctl: str | None = None) -> Survey:
    """What is made of a host's answer."""
    host = SimpleNamespace(node="cp-1", script=lambda *_: answer)
    return survey(host, SOURCE, etcdctl)


def test_a_survey():
    assert surveyed(
        b"root /proc/7/root\netcdctl /proc/7/root/usr/local/bin/etcdctl\ndatabase 4096\nfree 8192\n"
        b"tool zstd\ntool gzip\n"
    ) == Survey("/proc/7/root", "/proc/7/root/usr/local/bin/etcdctl", 4096, 8192, (Tool.ZSTD, Tool.GZIP))
    assert surveyed(b"free 1\netcdctl /a b/etcdctl") == Survey("", "/a b/etcdctl", None, 1, ())
    assert surveyed(b"free 1\ntool lzma\ntool gzip\nnews 5", "/mine").tools == (Tool.GZIP,)


@pytest.mark.parametrize(
    "answer",
    [
        b"etcdctl /e",
        b"etcdctl /e\nfree",
        b"etcdctl /e\nfree x",
        b"etcdctl /e\nfree 1.5",
        b"etcdctl /e\nfree 1\ndatabase",
        b"etcdctl /e\nfree 1\ndatabase 1e9",
        b"etcdctl /e\nfree \xff\xfe\n",
    ],
)
def test_an_answer_that_makes_no_sense_is_an_error(answer):
    with pytest.raises(AdminError, match="node cp-1: unexpected answer of the host"):
        surveyed(answer)


@pytest.mark.parametrize("answer", [b"", b"\0\0", b"\xff" * 100, b"etcdctl", b"no such thing\n"])
def test_an_answer_without_an_etcdctl(answer):
    with pytest.raises(AdminError, match="no etcdctl on PATH"):
        surveyed(answer)


def seen(*tools: Tool, free: int = 1 << 30) -> Survey:
    return Survey("", "etcdctl", None, free, tools)


@pytest.mark.parametrize(
    ("there", "asked", "taken"),
    [
        ((Tool.ZSTD, Tool.GZIP), None, Tool.ZSTD),
        ((Tool.GZIP,), None, Tool.GZIP),
        ((), None, Tool.NONE),
        ((Tool.ZSTD, Tool.GZIP), Tool.GZIP, Tool.GZIP),
        ((Tool.ZSTD,), Tool.NONE, Tool.NONE),
        ((), Tool.NONE, Tool.NONE),
    ],
)
def test_what_packs(there, asked, taken):
    assert choose_tool(seen(*there), asked, "cp-1") is taken


@pytest.mark.parametrize(("there", "has"), [((Tool.GZIP,), "gzip"), ((), "neither zstd nor gzip")])
def test_what_is_not_there_does_not_pack(there, has):
    with pytest.raises(AdminError) as refused:
        choose_tool(seen(*there), Tool.ZSTD, "cp-1")
    assert refused.value.what == "node cp-1 has no zstd to compress with"
    assert refused.value.hint == f"it has {has}; or use --compress=none"


def test_a_reserve_stays_free_on_the_node():
    needed = (100 << 20) + module.RESERVE
    refuse_full("cp-1", seen(free=needed), 100 << 20)
    with pytest.raises(AdminError) as refused:
        refuse_full("cp-1", seen(free=needed - 1), 100 << 20)
    assert refused.value.what == (
        "node cp-1: 355 MiB are free for /var/lib/kubectl-admin, and the snapshot needs 356 MiB with a "
        "reserve of 256 MiB"
    )


def test_files_of_a_container_are_named_as_the_host_sees_them():
    assert within(HTTPS, "/proc/7/root") == Access(
        HTTPS.endpoint, True, "/proc/7/root/pki/ca.crt", "/proc/7/root/pki/a.crt", "/proc/7/root/pki/a.key"
    )
    assert within(Access("http://a"), "/proc/7/root") == Access("http://a")
    assert within(HTTPS, "") == HTTPS


def test_what_etcdctl_writes_is_for_root_alone(tmp_path):
    program = tmp_path / "etcdctl"
    program.write_text('#!/bin/sh\nfor last; do :; done\n: > "$last"\necho "$ETCDCTL_API $*" >&2\n')
    program.chmod(0o755)
    before = os.umask(0)
    try:
        words = [str(program), str(tmp_path / "a $(b).db"), "--endpoints=x"]
        done = subprocess.run(
            ["/bin/sh", "-c", module.SAVE.text(), "save", *words],
            capture_output=True,
            text=True,
            check=True,
        )
    finally:
        os.umask(before)
    assert (tmp_path / "a $(b).db").stat().st_mode & 0o777 == 0o600
    assert done.stderr == f"3 --endpoints=x snapshot save {tmp_path}/a $(b).db\n"

"""A snapshot as a file: where it goes, that it is verified first, and that nothing half is ever there."""

import random
import signal
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from kubectl_admin.cluster.access import Right
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.etcd.members.flags import Access
from kubectl_admin.etcd.save.choose_member import Source
from kubectl_admin.etcd.save.on_host import Download
from kubectl_admin.etcd.save.save import SnapshotOptions, default_name, destination, draft_of, save_snapshot
from kubectl_admin.node.debug_pod import Options
from kubectl_admin.node.fetch import Fetched
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.node.unpacking import Tool
from kubectl_admin.part_file import PartFile, Spool
from tests.fakes.host import OPERATION
from tests.unit.etcd.snapshot.bolt_file import MEMBER, BoltFile, contents

MOMENT = datetime(2026, 11, 25, 13, 5, 1, tzinfo=UTC)
SOURCE = Source("cp-2", "f00", "/var/lib/etcd", (Access("https://127.0.0.1:2379"),))


@pytest.mark.parametrize(
    ("cluster", "name"),
    [
        ("prod", "prod"),
        ("kind.local-1", "kind.local-1"),
        ("arn:aws:eks:eu-west-1:1234:cluster/prod", "arn-aws-eks-eu-west-1-1234-cluster-prod"),
        ("../../etc/passwd", "..-..-etc-passwd"),
        ("/", "cluster"),
        ("", "cluster"),
        ("-rf", "rf"),
        ("a\nb\x1b[31m\0", "a-b-31m"),
        ("прод", "cluster"),
        ("x" * 300, "x" * 100),
        ("x" * 99 + "/y", "x" * 99),
    ],
)
def test_a_name_for_any_cluster(cluster, name, tmp_path):
    found = default_name(cluster, MOMENT)
    assert found == f"etcd-{name}-20261125T130501Z.db"
    (tmp_path / found).touch()
    assert [each.name for each in tmp_path.iterdir()] == [found]


def test_a_folder_means_a_file_in_it(tmp_path, monkeypatch):
    for wanted in (str(tmp_path), f"{tmp_path}/"):
        file = destination(wanted, "prod")
        assert file
        assert file.parent == tmp_path
        assert file.name.startswith("etcd-prod-2")
    monkeypatch.chdir(tmp_path)
    assert str(destination(".", "prod")).startswith("etcd-prod-2")


def test_what_is_no_folder_is_a_file(tmp_path):
    assert destination(str(tmp_path / "snapshot.db"), "prod") == tmp_path / "snapshot.db"
    assert destination("snapshot.db", "prod") == Path("snapshot.db")
    assert destination("n" * 300, "prod") == Path("n" * 300)


def test_a_folder_that_is_not_there_is_not_saved_for_a_file(tmp_path):
    (tmp_path / "file").touch()
    for wanted in (f"{tmp_path}/none/", f"{tmp_path}/file/", ""):
        with pytest.raises(UsageError, match="does not exist"):
            destination(wanted, "prod")


def test_a_dash_is_stdout_and_a_file_of_that_name_is_not():
    assert destination("-", "prod") is None
    assert destination("./-", "prod") == Path("-")


def test_what_goes_to_a_stream_has_no_name(tmp_path):
    assert isinstance(draft_of(None, force=False), Spool)
    part = draft_of(tmp_path / "snapshot.db", force=True)
    assert isinstance(part, PartFile)


class Api:
    """An API server that grants rights, or none, and has no pods. asked: the rights that it was asked for."""

    server = "https://192.0.2.1:6443"

    def __init__(self, events: list[str]) -> None:
        self.events = events
        self.granted = True
        self.asked: set[str] = set()

    def patiently(self, question):
        return question()

    def is_ready(self):
        return True

    def review(self, _path, body, **_):
        if "spec" not in body:
            return {"status": {"userInfo": {"username": "ann"}}}
        about = body["spec"]["resourceAttributes"]
        resource = "/".join(filter(None, (about["resource"], about["subresource"])))
        self.asked.add(str(Right(about["verb"], resource, about["namespace"])))
        return {"status": {"allowed": self.granted}}

    def list(self, *_):
        self.events.append("sweep")
        return []


class OneHost(Hosts):
    """One host, on which nothing is left."""

    @contextmanager
    def open(self, node):
        self.say(f"open {node}")
        try:
            yield SimpleNamespace(script=self.leftovers, operation=OPERATION)
        finally:
            self.say("close")

    def leftovers(self, *_):
        self.say("sweep host")
        return b""


class World:
    """A cluster of which a snapshot is saved, in so far as `save_snapshot` sees it."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.events: list[str] = []
        self.source = SOURCE
        self.member_id = MEMBER.decode()
        self.api = Api(self.events)

    def choose(self, _cluster, node: str | None) -> Source:
        self.events.append(f"choose {node}")
        return self.source

    @contextmanager
    def watch(self, title):
        self.events.append(f"watch {title}")
        yield lambda _done, _total: None

    def download(self, _host, source, sink, *, transfer, tool, etcdctl, room, patience):
        self.events.append(f"save {source.node} {tool} {etcdctl} {transfer(Tool.GZIP).rate}")
        assert patience == Options().patience
        room(len(self.content))
        sink(self.content[:5000])
        sink(self.content[5000:])
        fetched = Fetched(len(self.content), 9, 0)
        return Download("https://127.0.0.1:2379", "1f", self.member_id, Tool.GZIP, fetched, {"fetch": 1.0})

    def save(self, draft, options: SnapshotOptions = SnapshotOptions(), download=None, **others):  # noqa: B008
        return save_snapshot(
            OneHost(self.api, OPERATION, Options(), self.events.append),
            options,
            draft,
            watch=self.watch,
            choose=self.choose,
            download=download or self.download,
            **others,
        )


def test_a_snapshot_is_verified_before_it_has_its_name(tmp_path):
    world = World(BoltFile().snapshot())
    with PartFile(tmp_path / "snapshot.db") as part:
        saved = world.save(part, SnapshotOptions("cp-2", Tool.NONE, "/mine", 5.0))
        assert part.path.read_bytes() == world.content
        assert not part.target.exists()
    assert saved.verdict.sound
    assert saved.verdict.snapshot
    assert saved.verdict.snapshot.size == len(world.content)
    assert (saved.node, set(saved.download.seconds)) == ("cp-2", {"fetch", "verify"})
    assert world.events == [
        "choose cp-2",
        "sweep",
        "open cp-2",
        "sweep host",
        "watch snapshot from cp-2",
        "save cp-2 none /mine 5.0",
        "close",
        "watch verifying",
    ]


def test_a_stream_gets_what_was_verified(tmp_path):
    world = World(BoltFile().snapshot())
    out = tmp_path / "out"
    with Spool() as spool, out.open("wb", buffering=0) as stream:
        world.save(spool)
        spool.copy_to(stream.fileno(), "stdout")
    assert out.read_bytes() == world.content


def test_another_taker_is_given_the_same_bytes():
    world, also = World(BoltFile().snapshot()), bytearray()
    with Spool() as spool:
        world.save(spool, also=also.extend)
    assert also == world.content


def test_another_taker_that_fails_ends_it(tmp_path):
    def fail(_data):
        raise AdminError("the disk is full")

    with pytest.raises(AdminError, match="the disk is full"), PartFile(tmp_path / "x") as part:
        World(BoltFile().snapshot()).save(part, also=fail)
    assert list(tmp_path.iterdir()) == []


def test_what_the_source_lacks_is_said(tmp_path):
    world = World(BoltFile().snapshot())
    world.source = Source("cp-2", "f00", "", (), ("events is kept elsewhere",))
    with PartFile(tmp_path / "snapshot.db") as part:
        world.save(part)
    assert world.events[1] == "events is kept elsewhere"


def damaged(content: bytes) -> bytes:
    """The same with a bit that has flipped in a page that is in use."""
    data = bytearray(content)
    data[len(data) // 2] ^= 1
    return bytes(data)


@pytest.mark.parametrize(
    "content",
    [
        damaged(BoltFile().snapshot()),
        BoltFile().snapshot()[:-600],
        b"",
        b"no such thing",
        random.Random(1).randbytes(100_000),
    ],
    ids=["a flipped bit", "its end is missing", "empty", "text", "noise"],
)
def test_what_is_damaged_is_not_kept(tmp_path, content):
    world = World(content)
    with (
        pytest.raises(
            AdminError, match="the snapshot that node cp-2 gave is damaged and was not kept: "
        ) as bad,
        PartFile(tmp_path / "snapshot.db") as part,
    ):
        world.save(part)
    assert "--node" in str(bad.value.hint)
    assert list(tmp_path.iterdir()) == []


def test_what_has_no_room_here_is_not_begun(tmp_path, monkeypatch):
    world = World(BoltFile().snapshot())
    with PartFile(tmp_path / "snapshot.db") as part:
        monkeypatch.setattr(part, "room", lambda _: (_ for _ in ()).throw(AdminError("no room")))
        with pytest.raises(AdminError, match="no room"):
            world.save(part)
    assert world.events[-1] == "close"


def test_a_snapshot_without_its_sha256_is_not_kept(tmp_path):
    world = World(BoltFile().snapshot()[:-32])
    refused = pytest.raises(AdminError, match="node cp-2 gave came without its sha256 and was not kept")
    with refused, PartFile(tmp_path / "snapshot.db") as part:
        world.save(part)
    assert list(tmp_path.iterdir()) == []


def test_a_snapshot_that_does_not_name_its_source_is_not_kept(tmp_path):
    world = World(BoltFile().snapshot())
    world.member_id = "29a"
    with pytest.raises(AdminError) as refused, PartFile(tmp_path / "snapshot.db") as part:
        world.save(part)
    assert refused.value.what == (
        "the snapshot that node cp-2 gave is of another cluster and was not kept: its members are m1 "
        "(8e9e05c52164694d), and not 29a, which saved it"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_snapshot_that_names_no_member_is_not_kept(tmp_path):
    world = World(BoltFile({**contents(), b"members": {}}).snapshot())
    with pytest.raises(AdminError, match="its members are none, and not"), PartFile(tmp_path / "x") as part:
        world.save(part)


def test_without_all_rights_nothing_is_begun(tmp_path):
    world = World(b"")
    world.api.granted = False
    with pytest.raises(AdminError, match='user "ann" may not') as refused, PartFile(tmp_path / "x") as part:
        world.save(part)
    assert "create and get pods/exec in namespace kube-system" in refused.value.what
    assert world.events == []
    assert sorted(world.api.asked) == [
        "create pods in namespace kube-system",
        "create pods/exec in namespace kube-system",
        "delete pods in namespace kube-system",
        "get nodes",
        "get pods in namespace kube-system",
        "get pods/exec in namespace kube-system",
        "list nodes",
        "list pods in namespace kube-system",
        "watch pods in namespace kube-system",
    ]


def test_an_interruption_closes_the_host_and_leaves_nothing(tmp_path):
    world = World(BoltFile().snapshot())
    with pytest.raises(KeyboardInterrupt), PartFile(tmp_path / "snapshot.db") as part:
        world.save(part, download=lambda *_, **__: signal.raise_signal(signal.SIGINT))
    assert world.events[-1] == "close"
    assert list(tmp_path.iterdir()) == []

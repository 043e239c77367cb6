"""A restore as it runs: nodes that answer as scripts do, etcd that hears the word, and all that was done."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.afterwards.after import KEYS
from kubectl_admin.etcd.restore.afterwards.facts import Outcome
from kubectl_admin.etcd.restore.before import Before
from kubectl_admin.etcd.restore.follow import End, Followed
from kubectl_admin.etcd.restore.go import Go
from kubectl_admin.etcd.restore.keys import Keys
from kubectl_admin.etcd.restore.look.look import Looked
from kubectl_admin.etcd.restore.on_nodes import arm
from kubectl_admin.etcd.restore.on_nodes.plan import node_plans
from kubectl_admin.etcd.restore.on_nodes.prepare import Prepared, Seed
from kubectl_admin.etcd.restore.on_nodes.status import LOOK
from kubectl_admin.etcd.restore.restore import Acts, Restored, Runner
from kubectl_admin.node.debug_pod import Options
from kubectl_admin.node.operation import Operation
from kubectl_admin.node.script import Script
from tests.fakes.clock import Clock
from tests.fakes.host import OWNER
from tests.fakes.hosts import Opened
from tests.unit.etcd.restore import samples
from tests.unit.etcd.restore.control_planes import control_plane, found, on_disk
from tests.unit.etcd.restore.test_go import FakeEtcd, Way, go_of

ID = "0123456789"
NODES = ("cp-1", "cp-2", "cp-3")
RESTORED = f"restore over {ID} restored\nunit inactive\nenabled disabled\nworker side new\n"
NONE = "restore none - -\nunit inactive\n"


def word(last: str, stage: str = "over", unit: str = "inactive", id_: str = ID) -> str:
    """What a node says of a restore whose journal ends with this word."""
    return f"restore {stage} {id_} {last}\nunit {unit}\n"


Fault = Callable[[], None]


@dataclass
class Run:
    """A restore of three control planes.

    events: what was done, in order. faults: what happens in place of an event, by its name. states: each
    node's answer, or why it gives none. there: nodes on which something is. way: to etcd. end: how it ends.
    """

    folder: Path
    events: list[str] = field(default_factory=list)
    faults: dict[str, Fault] = field(default_factory=dict)
    states: dict[str, str | AdminError] = field(default_factory=lambda: dict.fromkeys(NODES, RESTORED))
    there: set[str] = field(default_factory=set)
    said: list[str] = field(default_factory=list)
    way: Way = field(default_factory=lambda: Way(FakeEtcd()))
    end: End | BaseException = End.RESTORED
    finished: Before | None = None

    def __post_init__(self) -> None:
        self.snapshot = self.folder / "snapshot.db"
        self.snapshot.write_bytes(b"a snapshot")
        self.so_far = Restored(ID)
        self.seed: Seed | None = None

    def note(self, event: str) -> None:
        """Something is done, or its fault happens."""
        if fault := self.faults.get(event):
            fault()
        self.events.append(event)

    @property
    def runner(self) -> Runner:
        acts = Acts(
            save=self.save,
            alone=self.alone,
            prepare=self.prepare,
            arm=self.arm,
            refuse_changed=lambda _cluster, _plans, **_: self.note("see unchanged"),
            word=self.word,
            follow=self.follow,
            begin=lambda *_, **__: self.note("begin"),
            finish=self.finish,
        )
        return Runner(self.hosts, self.hosts.cluster, self.said.append, watch, acts)

    @property
    def hosts(self) -> Opened:
        api: Any = SimpleNamespace(clock=Clock(), list=lambda *_: [])
        return Opened(api, Operation(ID, OWNER), Options(), self.said.append, self.host)

    def host(self, node: str, operation: Operation) -> Any:
        """A node's host."""

        def script(asked: Script, *_: object, **__: object) -> bytes:
            if asked is LOOK:
                answer = self.states[node]
                if isinstance(answer, AdminError):
                    raise answer
                return answer.encode()
            assert asked is arm.REMOVE
            assert operation.id != ID  # that of the preparation may be over
            self.note(f"remove {node}")
            self.there.discard(node)
            return b"removed"

        return nullcontext(SimpleNamespace(node=node, clock=Clock(), script=script))

    def save(self, hosts: Any, snapshot: Path, record: Any, *, watch: Any) -> Before:
        del watch
        assert hosts.operation.id != ID  # its debug pods go before anything is prepared
        self.note("save")
        return Before(snapshot.with_name("snapshot.db.before"), record)

    @contextmanager
    def alone(self, *_: object, **__: object) -> Iterator[Any]:
        self.note("lock")
        try:
            yield SimpleNamespace(held=SimpleNamespace(check=lambda: None))
        finally:
            self.events.append("unlock")
        if fault := self.faults.get("unlock"):
            fault()

    def prepare(self, _hosts: Any, plans: Mapping[str, Any], seed: Any, watch: Any) -> Any:
        self.seed = seed
        watch.moved("cp-1", 1, 3)
        self.there.update(plans)
        self.note("prepare")
        return {node: prepared(node, seed.bump) for node in plans}

    def arm(self, host: Any, plan: Any, *, check: Callable[[], None]) -> None:
        check()
        assert plan.node == host.node
        self.note(f"arm {host.node}")

    def word(self, *_: object) -> Go:
        self.note("word")
        outer = self

        class Heard(Way):
            """The way to etcd, as it is used."""

            def run(self, words: Any, stdin: Any) -> Any:
                outer.note("lease" if "lease" in words else "mark" if "put" in words else "go")
                return outer.way.run(words, stdin)

        return go_of(Heard(self.way.etcd), clock=Clock())

    def follow(
        self, _cluster: Any, operation: str, nodes: list[str], *, unread: Callable[[], bool], **_: object
    ) -> Followed:
        assert operation == ID
        self.note("follow")
        assert unread()  # this run has no webhooks planned
        if isinstance(self.end, BaseException):
            raise self.end
        return Followed(self.end, Keys(acknowledged=frozenset(nodes)), 12.34)

    def finish(
        self, hosts: Any, before: Before, restored: Any, *, outcomes: list[Outcome], **_: object
    ) -> list[Outcome]:
        assert hosts.operation.id != ID
        self.note(f"finish {' '.join(restored)}")
        self.finished = before
        outcomes.append(Outcome(KEYS))
        return outcomes

    def run(self) -> Restored:
        """Restores, as a person wants it."""
        return self.runner.run(self.snapshot, looked(), None, self.so_far)


@contextmanager
def watch(_title: str) -> Iterator[Any]:
    """A phase that nobody watches."""
    yield lambda _done, _every: None


def prepared(node: str, bump: int = 0) -> Prepared:
    """A node that has restored the snapshot aside."""
    return Prepared(node, 7, 1000 + bump, 3, 4096, "3.6.8", 1.5)


def looked(*findings: Any, **changes: Any) -> Looked:
    """All that was looked at before a restore that is possible."""
    pods = control_plane(1, 2, 3)
    plans = node_plans(ID, found(pods), on_disk(pods))
    file = samples.file(replace(samples.snapshot(), sha256=sha256(b"a snapshot").hexdigest()))
    sound = Looked(file, samples.cluster(), findings, plans)
    return replace(sound, **changes)

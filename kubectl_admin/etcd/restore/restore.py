"""A restore from the first change to the last: the present kept, nodes prepared, told to begin, followed.

Up to the word everything is undone where a step fails, or somebody interrupts. From the word on the nodes
work by themselves, and this only watches; a later run takes up whatever is left.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.wait import looks
from kubectl_admin.control_plane import one_at_a_time
from kubectl_admin.control_plane.one_at_a_time import Alone
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore import before
from kubectl_admin.etcd.restore.afterwards import after, webhooks
from kubectl_admin.etcd.restore.afterwards.facts import Outcome
from kubectl_admin.etcd.restore.before import Before
from kubectl_admin.etcd.restore.follow import End, Followed, NeverBegunError, follow
from kubectl_admin.etcd.restore.go import Answer, Go, talkers
from kubectl_admin.etcd.restore.keys import Keys, majority
from kubectl_admin.etcd.restore.look.look import Looked
from kubectl_admin.etcd.restore.on_nodes import arm, prepare
from kubectl_admin.etcd.restore.on_nodes.plan import NodePlan
from kubectl_admin.etcd.restore.on_nodes.prepare import Prepared, Seed
from kubectl_admin.etcd.restore.on_nodes.status import NodeState, Stage, status
from kubectl_admin.etcd.restore.record import Record
from kubectl_admin.etcd.restore.resume import Begun
from kubectl_admin.etcd.restore.unchanged import refuse_changed
from kubectl_admin.etcd.save.save import Watch
from kubectl_admin.node.host import Host, Say
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.node.operation import Operation
from kubectl_admin.node.send import LocalFile, measure
from kubectl_admin.report.text import some_of
from kubectl_admin.signals import sheltered

ABOUT = "restores etcd"
UNIT = "restore"  # without «kubectl-admin-»
# Seconds after the word in which a majority is on one side for good, as far as this run watches: nodes go to
# and fro where half of them are away, and may do so for longer.
FOLLOW_TIMEOUT = 900.0
LAST_WORD_TIMEOUT = 90.0  # seconds in which a node of the majority has its API server up
LAST_WORD_INTERVAL = 1.0  # seconds between two looks at its journal


@dataclass(slots=True)
class Restored:
    """How far a restore has come.

    before: the directory with the state before. prepared: by node. word: whether nodes have the word to
    begin. left: nodes from which what was prepared could not be removed. resumed: whether an earlier run has
    given the word. followed: its end; None as long as that was not seen. states: of the nodes, after it.
    outcomes: of the work afterwards. all_taken: whether each of its steps was taken, done or not.
    """

    operation: str
    before: Before | None = None
    prepared: Mapping[str, Prepared] = field(default_factory=dict)
    word: Answer = Answer.NO
    left: Sequence[str] = ()
    resumed: bool = False
    followed: Followed | None = None
    states: Mapping[str, NodeState | AdminError] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    all_taken: bool = False

    @property
    def is_begun(self) -> bool:
        """Whether nodes have the word, or may have it: from then on nothing is removed from them."""
        return self.word is not Answer.NO

    @property
    def restored(self) -> list[str]:
        """Nodes whose worker has said that it is done."""
        return [node for node, one in self.states.items() if is_restored(one, self.operation)]


def resumed(begun: Begun) -> Restored:
    """How far a restore has come whose word an earlier run has given."""
    return Restored(
        begun.before.record.id, before=begun.before, word=Answer.YES, resumed=True, states=begun.states
    )


def word_of(hosts: Hosts, looked: Looked) -> Go:
    """The word to begin, which is given through the members' own pods."""
    members = talkers(hosts.cluster, looked.live.state.etcd.members)
    return Go(members, hosts.operation.id, list(looked.plans), hosts.cluster.clock)


@dataclass(frozen=True, slots=True)
class Acts:
    """What a restore is made of, in its order; each as the function that stands for it here."""

    save: Callable[..., Before] = before.save
    alone: Callable[..., AbstractContextManager[Alone]] = one_at_a_time.control_plane
    prepare: Callable[..., Mapping[str, Prepared]] = prepare.prepare_all
    arm: Callable[..., None] = arm.arm
    refuse_changed: Callable[..., None] = refuse_changed
    word: Callable[[Hosts, Looked], Go] = word_of
    follow: Callable[..., Followed] = follow
    let_pods_in: Callable[..., bool] = after.let_pods_in
    begin: Callable[..., None] = after.begin
    finish: Callable[..., list[Outcome]] = after.finish


@dataclass(frozen=True, slots=True)
class Runner:
    """Carries a restore out.

    hosts: of the operation that the plans have. watcher: a connection that does not try again by itself.
    say: is given sentences. watch: opens the display of a phase.
    """

    hosts: Hosts
    watcher: Cluster
    say: Say
    watch: Watch
    acts: Acts = field(default_factory=Acts)

    def rehearse(self, snapshot: Path, looked: Looked, etcdutl: Path | None) -> Mapping[str, Prepared]:
        """Prepares all nodes, and removes it again. Raises AdminError where one can't."""
        left: list[str] = []
        with self._alone() as check, sources(snapshot, looked, etcdutl) as seed:
            try:
                found = self._prepare(looked, seed, check)
            finally:
                with sheltered():
                    left += prepare.remove_all(self.hosts, looked.plans)
        if left:
            raise AdminError(
                f"what was prepared could not be removed from {some_of(left)}",
                "kubectl admin etcd-restore --prune",
            )
        return found

    def run(self, snapshot: Path, looked: Looked, etcdutl: Path | None, so_far: Restored) -> Restored:
        """Restores. so_far: is filled as it goes. Raises AdminError where it fails."""
        record = record_of(self.hosts.operation.id, looked)
        own = replace(self.hosts, operation=Operation.begin())
        so_far.before = self.acts.save(own, snapshot, record, watch=self.watch)
        self.say(f"the state before is kept in {so_far.before.directory}")
        with sheltered() as shelter:
            try:
                with shelter.exposed(), self._alone() as check, sources(snapshot, looked, etcdutl) as seed:
                    so_far.prepared = self._prepare(looked, seed, check)
                    self._arm(looked.plans, check)
                    self.acts.refuse_changed(self.hosts.cluster, looked.plans, known=looked.live.state)
                # The units keep everybody else away from now on; the Lease ends with the API.
                go = self.acts.word(self.hosts, looked)
                with shelter.exposed():
                    go.get_ready()
                give(go, so_far)
            finally:
                if not so_far.is_begun:
                    so_far.left = prepare.remove_all(self.hosts, looked.plans)
        try:
            self.finish(so_far, list(looked.plans), go)
        except NeverBegunError:
            with sheltered():
                so_far.word, so_far.left = Answer.NO, prepare.remove_all(self.hosts, looked.plans)
            raise
        return so_far

    def finish(self, so_far: Restored, nodes: list[str], go: Go | None = None) -> None:
        """Follows a restore whose word is given, and does what is left to do once it is restored.

        go: by which it is asked for meanwhile, where that is not known. Raises AdminError where its end is
        not seen, and NeverBegunError where there is none.
        """
        record = so_far.before.record if so_far.before else None
        with webhooks.refusing_afterwards(self.watcher, record, self.say):
            so_far.followed = self._see_end(so_far, nodes, go)
            self._see_done(so_far, nodes, is_restored=so_far.followed.end is End.RESTORED)

    def _see_end(self, so_far: Restored, nodes: list[str], go: Go | None) -> Followed:
        if len(so_far.restored) >= majority(nodes):
            # An earlier run may have deleted the keys already by which the end would be seen.
            return Followed(End.RESTORED, Keys(), 0)
        return self.acts.follow(
            *(self.watcher, so_far.operation, nodes),
            timeout=FOLLOW_TIMEOUT,
            say=self.say,
            unread=partial(self.acts.let_pods_in, self.watcher, so_far.before, say=self.say),
            is_forbidden=lambda: bool(go and so_far.word is Answer.UNKNOWN and go.forbid() is Answer.NO),
        )

    def _see_done(self, so_far: Restored, nodes: list[str], *, is_restored: bool) -> None:
        """Does what follows the end of a restore."""
        own = replace(self.hosts, operation=Operation.begin())
        if is_restored and so_far.before is not None:  # at once: the nodes' last words take a while
            self.acts.begin(own.cluster, so_far.before, say=self.say)
        so_far.states = own.ask(nodes, last_word)
        if is_restored and so_far.before is not None:
            self.acts.finish(own, so_far.before, so_far.restored, say=self.say, outcomes=so_far.outcomes)
            so_far.all_taken = True
            # No outcome at all is no sign that all was done.
            is_done = bool(so_far.outcomes) and all(one.is_done for one in so_far.outcomes)
            if is_done and set(so_far.restored) == set(nodes):
                so_far.before.note_finished()

    @contextmanager
    def _alone(self) -> Iterator[Callable[[], None]]:
        """Inside, nobody else changes a control plane; gives what is called before each change."""
        with self.acts.alone(self.hosts, ABOUT, own=(), skipped=(), take_over=None) as held:
            yield held.held.check

    def _prepare(self, looked: Looked, seed: Seed, check: Callable[[], None]) -> Mapping[str, Prepared]:
        size = seed.snapshot.size
        with self.watch(f"preparing {len(looked.plans)} nodes") as moved:
            has: dict[str, int] = {}

            def count(node: str, done: int, _all: int) -> None:
                has[node] = done
                moved(sum(has.values()), size * len(looked.plans))

            return self.acts.prepare(self.hosts, looked.plans, seed, prepare.Watch(check, count))

    def _arm(self, plans: Mapping[str, NodePlan], check: Callable[[], None]) -> None:
        def on_node(plan: NodePlan) -> None:
            with self.hosts.open(plan.node) as host:
                self.acts.arm(host, plan, check=check)

        self.hosts.need_all({node: partial(on_node, plan) for node, plan in plans.items()})


def give(go: Go, so_far: Restored) -> None:
    """Gives the word. so_far: is told whether nodes have it.

    Raises AdminError where it is certain that none has, and none ever will. Of any other end it is not known:
    the nodes are left alone then, and without the word they disarm themselves.
    """
    so_far.word = Answer.UNKNOWN
    try:
        answer = go.give()
    except AdminError:
        so_far.word = Answer.NO
        raise
    so_far.word = answer if answer is not Answer.UNKNOWN else go.settle()
    if so_far.word is Answer.NO:
        raise AdminError(
            "a node has left the restore before it began, so nothing was changed", "run the command again"
        )


def last_word(host: Host) -> NodeState:
    """The state of a node once its worker has said its last word, or as it is after a while."""
    for late in looks(LAST_WORD_TIMEOUT, LAST_WORD_INTERVAL, clock=host.clock):
        state = status(host)
        if late or state.earlier.stage is Stage.OVER:
            return state
    raise AssertionError


def is_restored(state: NodeState | AdminError, operation: str) -> bool:
    """Whether a node runs with the data of this restore, and its worker is done."""
    if isinstance(state, AdminError):
        return False
    return (state.earlier.id, state.earlier.word) == (operation, "restored")


@contextmanager
def sources(snapshot: Path, looked: Looked, etcdutl: Path | None) -> Iterator[Seed]:
    """What is sent to nodes, open and measured: the file is the one that was judged."""
    with ExitStack() as stack:
        judged = looked.file.snapshot
        yield Seed(
            snapshot=opened(stack, snapshot, judged.sha256 if judged else None),
            bump=looked.bump,
            revision=looked.file.revision,
            containers=looked.containers,
            etcdutl=opened(stack, etcdutl, None) if etcdutl else None,
            defrag=looked.defrag,
            limits=looked.limits,
        )


def opened(stack: ExitStack, path: Path, digest: str | None) -> LocalFile:
    """A file that stays open until the stack is closed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise AdminError(f"{path} can't be read: {error.strerror}") from error
    stack.callback(os.close, descriptor)
    return measure(descriptor, str(path), digest=digest)


def record_of(operation: str, looked: Looked) -> Record:
    """All that a later run must know."""
    first = next(iter(looked.plans.values()))
    judged = looked.file.snapshot
    return Record(
        id=operation,
        sha256=judged.sha256 if judged else "",
        revision=looked.file.revision or 0,
        bump=looked.bump,
        cluster=looked.file.cluster.text,
        nodes=tuple(looked.plans),
        members=dict(first.members),
        began=time.time(),
        left=looked.left,
        prefix=looked.prefix,
        planned={} if looked.webhooks is None else {webhooks.PLANNED: webhooks.planned(looked.webhooks)},
    )

"""The word to begin: one key in the present etcd, and every node has heard it or none has.

    go = Go(talkers(cluster, etcd.members), operation, nodes, cluster.clock)
    match go.give(): ...

Afterwards the API server goes, so the answer may be lost on its way. Then it is asked for, by a transaction
that forbids the word where it was not given: an answer is yes or no for good, and what nobody could settle
is unknown. Unknown is never no: the nodes may have begun.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kubectl_admin.clock import Clock, Deadline
from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.decode import decode_object, whole_number
from kubectl_admin.cluster.exec import ExecResult
from kubectl_admin.cluster.paths import KUBE_SYSTEM
from kubectl_admin.cluster.retry import FULL
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members.etcdctl import PROGRAM, EtcdctlError, arguments, reason
from kubectl_admin.etcd.members.flags import Access
from kubectl_admin.etcd.members.pods import EtcdPod
from kubectl_admin.etcd.restore.keys import prefix_of

RIGHTS = tuple(Right(verb, "pods/exec", KUBE_SYSTEM) for verb in ("create", "get"))
LEASE = 600  # seconds for which the word counts: a node that hears it later has missed it
EXEC_TIMEOUT = 15.0  # seconds for a run of etcdctl, whose transactions have no limit of their own
SETTLE_TIMEOUT = 60.0  # seconds in which it is asked whether the word was given; far shorter than the lease
SETTLE_INTERVAL = 1.0  # seconds between two questions
ANSWER_LIMIT = 1 << 20  # bytes of what etcdctl writes


class Answer(StrEnum):
    """Whether the word is given. no: it is not, and never will be."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class FullError(AdminError):
    """Etcd takes no key, since an alarm NOSPACE is raised: the word was not given."""


@dataclass(frozen=True, slots=True)
class Talker:
    """A member that is spoken to in its own pod. run: runs words there, with input, and ends with them."""

    node: str
    access: Access
    run: Callable[[Sequence[str], Iterable[bytes] | None], ExecResult]

    def ask(self, words: Sequence[str], stdin: str | None = None) -> Mapping[str, Any]:
        """etcdctl's answer. Raises EtcdctlError with its words where it failed, AdminError for a cut."""
        what = f"{PROGRAM} {words[0]} on node {self.node}"
        given = None if stdin is None else [stdin.encode()]
        ran = self.run([PROGRAM, *arguments(self.access, words)], given)
        if ran.exit_code:
            raise EtcdctlError(what, reason(ran.stderr) or f"exit code {ran.exit_code}")
        return decode_object(ran.stdout, f"the answer of {what}")


def talkers(cluster: Cluster, members: Iterable[EtcdPod]) -> list[Talker]:
    """The members, each in its own pod."""

    def talker(pod: EtcdPod, access: Access) -> Talker:
        def run(words: Sequence[str], stdin: Iterable[bytes] | None) -> ExecResult:
            where = pod.namespace, pod.name, pod.container
            return cluster.exec(*where, words, stdin=stdin, timeout=EXEC_TIMEOUT).run(ANSWER_LIMIT)

        return Talker(pod.node, access, run)

    return [talker(pod, pod.access) for pod in members if pod.access]


class Go:
    """The word to begin a restore.

    members: those that are asked, the first that answers for all. operation: its id. nodes: that take part.
    """

    def __init__(self, members: Sequence[Talker], operation: str, nodes: Sequence[str], clock: Clock) -> None:
        self._members = members
        self._prefix = prefix_of(operation)
        self._nodes = nodes
        self._clock = clock
        self._ready: tuple[Talker, int] | None = None
        self._cluster: int | None = None  # the id of the etcd that may have been given the word

    def get_ready(self) -> None:
        """Does all but the one transaction. It may be interrupted, and raises as `give` does."""
        self._ready = self._lease()

    def give(self) -> Answer:
        """Gives the word, unless a node has gone back already.

        Raises FullError where etcd takes no key, and AdminError where no member takes
        even a lease: the word was not given. Any later error is settled, or the answer is UNKNOWN.
        """
        member, lease = self._ready or self._lease()
        compares = [absent(f"{self._prefix}back/{node}") for node in self._nodes]
        compares.append(absent(f"{self._prefix}stop"))
        put = f"put {self._prefix}go yes --lease={lease:x}"
        try:
            answer = member.ask(["txn"], transaction(compares, [put]))
        except EtcdctlError as error:
            if FULL in error.detail:
                raise full() from error
            return self.settle()
        except AdminError:
            return self.settle()
        if answer.get("succeeded") is True:
            return Answer.YES
        # Somebody is back, or has forbidden it. Not done and forbidden are the same only by this answer.
        return Answer.NO if is_of(answer, self._cluster) else Answer.UNKNOWN

    def settle(self) -> Answer:
        """Whether the word is given, and if not, that it never will be: also of a transaction on its way.

        NO as well where `give` was never called.
        """
        if self._cluster is None:
            return Answer.NO
        end = Deadline.after(SETTLE_TIMEOUT, self._clock)
        while (found := self.forbid()) is Answer.UNKNOWN and end.left >= 0:
            self._clock.sleep(SETTLE_INTERVAL)
        return found

    def forbid(self) -> Answer:
        """The same by one question to each member: UNKNOWN where none can be asked just now."""
        for member in self._members:
            found = self._settled(member)
            if found is not Answer.UNKNOWN:
                return found
        return Answer.UNKNOWN

    def _lease(self) -> tuple[Talker, int]:
        """The first member that grants a lease, and marks its etcd as the one that is asked; the lease."""
        problem = AdminError("no member of etcd could be asked in its pod")
        for member in self._members:
            try:
                granted = member.ask(["lease", "grant", str(LEASE)])
                lease, cluster = number(granted.get("ID")), number(granted.get("cluster_id"))
                if not lease or not cluster:
                    raise AdminError(f"node {member.node}: etcd granted no lease: {str(granted)[:80]}")
                # By this key the etcd of now is known from the restored one, which never has it.
                marked = member.ask(["put", f"{self._prefix}asked", "yes", f"--lease={lease:x}"])
                if not is_of(marked, cluster):
                    raise AdminError(f"node {member.node}: another etcd has answered a moment later")
            except EtcdctlError as error:
                if FULL in error.detail:
                    raise full() from error
                problem = error
            except AdminError as error:
                problem = error
            else:
                self._cluster = cluster
                return member, lease
        raise problem

    def _settled(self, member: Talker) -> Answer:
        """By one member: the word is forbidden in the same transaction in which it is seen to be absent."""
        go, asked = f"{self._prefix}go", f"{self._prefix}asked"
        forbid = transaction(
            [absent(go), f'version("{asked}") > "0"'], [f"put {self._prefix}stop yes"], [f"get {go}"]
        )
        try:
            answer = member.ask(["txn"], forbid)
        except AdminError:
            return Answer.UNKNOWN
        if not is_of(answer, self._cluster):
            # The restored etcd answers: there would be none without the word.
            return Answer.YES if header_of(answer) else Answer.UNKNOWN
        if answer.get("succeeded") is True:
            return Answer.NO
        return Answer.YES if has_key(answer) else Answer.UNKNOWN


def transaction(compares: Sequence[str], then: Sequence[str], otherwise: Sequence[str] = ()) -> str:
    """What `etcdctl txn` reads: three parts, each ended by an empty line."""
    return "".join("".join(f"{line}\n" for line in part) + "\n" for part in (compares, then, otherwise))


def absent(key: str) -> str:
    """That there is no such key."""
    return f'create("{key}") = "0"'


def header_of(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The header of etcd's answer; empty where it has none."""
    header = answer.get("header")
    return header if isinstance(header, dict) and number(header.get("cluster_id")) else {}


def is_of(answer: Mapping[str, Any], cluster: int | None) -> bool:
    """Whether the etcd of this id has answered. Every restore makes a new id."""
    return number(header_of(answer).get("cluster_id")) == cluster


def number(said: object) -> int | None:
    """An id of etcd's, which has 64 bits."""
    return whole_number(said, 20)


def has_key(answer: Mapping[str, Any]) -> bool:
    """Whether a get in a transaction has found a key."""
    return '"kvs"' in json.dumps(answer.get("responses") or [])


def full() -> FullError:
    """Why the word can't be given by a key."""
    return FullError(
        "etcd takes no keys: an alarm NOSPACE is raised",
        "make room, and disarm the alarm: kubectl admin etcd-status names the member; then the nodes end the "
        "restore by themselves",
    )

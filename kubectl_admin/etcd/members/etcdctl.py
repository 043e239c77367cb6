"""etcdctl: how it is called, and its answers as plain data, for etcd 3.5 to 3.7.

It is run by the Runner that is passed: in a member's own container, or on a host. Its answers are Go's
encoding of etcd's messages: whole numbers of 64 bits, and nothing at all for what is zero or empty.

Source: etcd etcdctl/ctlv3/command (ep_command.go, member_command.go, printer_json.go), api/etcdserverpb.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kubectl_admin.cluster.decode import decode_json
from kubectl_admin.cluster.exec import ExecResult
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members.flags import Access

# Runs a program's words to their end; raises AdminError where that can't be done.
Runner = Callable[[Sequence[str]], ExecResult]

PROGRAM = "etcdctl"
ANSWER_TIMEOUT = 5.0  # seconds for an answer of one member
HASH_TIMEOUT = 60.0  # seconds for a hash: 8 GB took five (etcd-io/etcd#8910)
ALARMS = {1: "NOSPACE", 2: "CORRUPT"}
FAILED = re.compile(r"Failed to get the \w+ of endpoint \S+ \((.*)\)")
DIALLING = re.compile(r'Error while dialing: ([^"\\]+)')


class EtcdctlError(AdminError):
    """etcdctl failed, or its answer makes no sense. detail: its own words, in short."""

    def __init__(self, what: str, detail: str) -> None:
        super().__init__(f"{what}: {detail}")
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Listed:
    """A member as the cluster's own list has it.

    name, client_urls: empty where it has not started yet.
    """

    id: int
    name: str
    peer_urls: tuple[str, ...]
    client_urls: tuple[str, ...]
    learner: bool


@dataclass(frozen=True, slots=True)
class Status:
    """A member's own status. Sizes in bytes.

    leader: the id of whom it takes for the leader; 0 where it knows none.
    index: the raft index up to which it knows that entries are committed.
    applied: the raft index up to which it has applied them.
    size: its database file, which the quota counts; in_use: the part of it that is not free.
    quota: the limit of size; 0 where it is not given (before 3.6).
    storage_version: of the database file; "" where it is not given (before 3.6).
    downgrade_to: the version to which a downgrade is under way, or "".
    """

    cluster_id: int
    member_id: int
    revision: int
    term: int
    version: str
    leader: int
    index: int
    applied: int
    size: int
    in_use: int
    learner: bool = False
    quota: int = 0
    storage_version: str = ""
    downgrade_to: str = ""
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hash:
    """The hash of a member's keys with their history, from what was compacted up to a revision.

    Two of them may be compared where revision and compacted are the same, and only then.
    current: the member's newest revision when it answered.
    """

    value: int
    revision: int
    compacted: int
    current: int


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm that a member has raised: NOSPACE, CORRUPT; a number for one that is not known here.

    member_id: None where it is not said which.
    """

    member_id: int | None
    kind: str


@dataclass(frozen=True, slots=True)
class Etcdctl:
    """etcdctl for one endpoint. Its questions raise EtcdctlError and the Runner's errors.

    patience: seconds that it waits for an answer, but for that to `hash`.
    """

    run: Runner
    access: Access
    patience: float = ANSWER_TIMEOUT
    program: str = PROGRAM

    def at(self, endpoint: str) -> "Etcdctl":
        """The same for another endpoint of the cluster, with the same files."""
        return replace(self, access=replace(self.access, endpoint=endpoint))

    def status(self) -> Status:
        """The status of the member at the endpoint. It answers without a quorum, too."""
        return parsed_status(self._answer(["endpoint", "status"]))

    def members(self) -> tuple[Listed, ...]:
        """The cluster's members, in the order of their ids; takes a quorum."""
        return parsed_members(self._answer(["member", "list"]))

    def alarms(self) -> tuple[Alarm, ...]:
        """The alarms that are raised; takes a quorum."""
        return parsed_alarms(self._answer(["alarm", "list"]))

    def keys(self, prefix: str) -> tuple[str, ...]:
        """The keys that begin so, in their order; takes a quorum. Bytes that are no text are escaped."""
        return parsed_keys(self._answer(["get", "--prefix", "--keys-only", "--", prefix]))

    def hash(self, revision: int) -> Hash:
        """The hash of the member's keys up to a revision that it has, and has not compacted.

        The member delays writes during that time, about a second for each GB in use.
        Source: etcd server/storage/mvcc/kvstore.go, hashByRev.
        """
        words = ["endpoint", "hashkv", f"--rev={revision}"]
        return parsed_hash(self._answer(words, HASH_TIMEOUT), revision)

    def delete(self, prefix: str) -> None:
        """Deletes the keys that begin so; takes a quorum."""
        self._answer(["del", "--prefix", "--", prefix])

    def _answer(self, words: Sequence[str], timeout: float | None = None) -> Any:
        what = f"{self.program} {' '.join(words[:2])} at {self.access.endpoint}"
        ran = self.run([self.program, *arguments(self.access, words, timeout or self.patience)])
        if ran.exit_code:
            killed = ran.exit_code > 128  # 128 and the number of the signal
            outcome = f"killed by signal {ran.exit_code - 128}" if killed else f"exit code {ran.exit_code}"
            raise EtcdctlError(what, reason(ran.stderr) or outcome)
        try:
            return decode_json(ran.stdout, "this")
        except AdminError as error:
            raise EtcdctlError(what, error.what) from None


def arguments(access: Access, words: Sequence[str], timeout: float = ANSWER_TIMEOUT) -> list[str]:
    """etcdctl's arguments for a question to an endpoint. timeout: seconds for its answer."""
    trust = []
    if access.tls:
        # Without a named authority the member's certificate may be its own (--auto-tls); it is asked from its
        # own node, where nobody is in between.
        trust = [f"--cacert={access.ca}"] if access.ca else ["--insecure-skip-tls-verify"]
    pair = [f"--cert={access.cert}", f"--key={access.key}"] if access.cert and access.key else []
    return [
        f"--endpoints={access.endpoint}",
        *trust,
        *pair,
        f"--command-timeout={timeout:g}s",
        "--write-out=json",
        *words,
    ]


def reason(stderr: bytes) -> str:
    """Why etcdctl failed, in a line: the last one that is not of a log, or why it could not connect."""
    lines = [line for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    plain = [line for line in lines if not line.startswith("{")]
    dialled = DIALLING.findall("\n".join(lines))
    last = plain[-1].removeprefix("Error: ").strip() if plain else ""
    # That the time is over is only how it ends where nothing can be reached.
    if dialled and ("deadline exceeded" in last or not last):
        return str(dialled[-1]).strip()
    failed = FAILED.fullmatch(last)
    return failed[1] if failed else last


def parsed_members(answer: Any) -> tuple[Listed, ...]:
    """The members of `member list`, in the order of their ids."""
    members = [
        Listed(
            id=_int(member, "ID"),
            name=str(member.get("name") or ""),
            peer_urls=_texts(member, "peerURLs"),
            client_urls=_texts(member, "clientURLs"),
            learner=member.get("isLearner") is True,
        )
        for member in _objects(answer, "members")
    ]
    return tuple(sorted(members, key=lambda member: member.id))


def parsed_status(answer: Any) -> Status:
    """The status of the one endpoint of `endpoint status`."""
    status = _only(answer, "Status")
    header = _object(status, "header")
    downgrade = _object(status, "downgradeInfo")
    return Status(
        cluster_id=_int(header, "cluster_id"),
        member_id=_int(header, "member_id"),
        revision=_int(header, "revision"),
        term=_int(status, "raftTerm") or _int(header, "raft_term"),
        version=str(status.get("version") or ""),
        leader=_int(status, "leader"),
        index=_int(status, "raftIndex"),
        applied=_int(status, "raftAppliedIndex"),
        size=_int(status, "dbSize"),
        in_use=_int(status, "dbSizeInUse"),
        learner=status.get("isLearner") is True,
        quota=_int(status, "dbSizeQuota"),
        storage_version=str(status.get("storageVersion") or ""),
        downgrade_to=str(downgrade.get("targetVersion") or "") if downgrade.get("enabled") else "",
        errors=tuple(text.strip() for text in _texts(status, "errors")),
    )


def parsed_hash(answer: Any, revision: int) -> Hash:
    """The hash of the one endpoint of `endpoint hashkv`.

    revision: the one that was asked for, which members before 3.6 do not repeat.
    """
    found = _only(answer, "HashKV")
    return Hash(
        value=_int(found, "hash"),
        revision=_int(found, "hash_revision") or revision,
        compacted=_int(found, "compact_revision"),
        current=_int(_object(found, "header"), "revision"),
    )


def parsed_alarms(answer: Any) -> tuple[Alarm, ...]:
    """The alarms of `alarm list`."""
    return tuple(
        Alarm(_int(alarm, "memberID"), _alarm_kind(alarm.get("alarm")))
        for alarm in _objects(answer, "alarms")
    )


def parsed_keys(answer: Any) -> tuple[str, ...]:
    """The keys of `get`, which are written as base64."""
    return tuple(_decoded(entry.get("key")) for entry in _objects(answer, "kvs"))


def _decoded(text: Any) -> str:
    try:
        return b64decode(str(text or ""), validate=True).decode("utf-8", "backslashreplace")
    except ValueError:
        raise EtcdctlError(PROGRAM, f"expected a key as base64, got {str(text)[:80]}") from None


def _alarm_kind(kind: Any) -> str:
    return ALARMS.get(kind, str(kind)) if isinstance(kind, int) else str(kind or "NONE")


def _only(answer: Any, name: str) -> Mapping[str, Any]:
    """The answer of the one endpoint that was asked."""
    if isinstance(answer, list) and len(answer) == 1 and isinstance(answer[0], dict):
        found = answer[0].get(name)
        if isinstance(found, dict):
            return found
    raise EtcdctlError(PROGRAM, f"expected an answer with one {name}, got {str(answer)[:80]}")


def _object(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = parent.get(name)
    return found if isinstance(found, dict) else {}


def _objects(answer: Any, name: str) -> list[Mapping[str, Any]]:
    if not isinstance(answer, dict):
        raise EtcdctlError(PROGRAM, f"expected an answer with {name}, got {str(answer)[:80]}")
    return [one for one in answer.get(name) or () if isinstance(one, dict)]


def _int(parent: Mapping[str, Any], name: str) -> int:
    """A whole number; protobuf's own encoding to JSON would write it as text."""
    try:
        return int(parent.get(name) or 0)
    except (TypeError, ValueError, OverflowError):
        return 0


def _texts(parent: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = parent.get(name)
    return tuple(str(item) for item in found) if isinstance(found, list) else ()

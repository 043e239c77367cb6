"""The facts on a cluster's etcd at one moment, as plain data."""

from collections.abc import Iterable
from dataclasses import dataclass

from kubectl_admin.etcd.members.etcdctl import Alarm, Hash, Listed, Status
from kubectl_admin.etcd.members.hashes import disagreeing
from kubectl_admin.etcd.members.pods import Etcd, EtcdPod
from kubectl_admin.finding import Gap

DEFAULT_QUOTA = 2 << 30  # bytes; etcd server/storage/quota.go, DefaultQuotaBytes

# Raft entries that a member may be behind; etcd itself refuses writes at 5,000 that are not applied.
# Source: etcd server/etcdserver/v3_server.go, maxGapBetweenApplyAndCommitIndex.
LAG = 1000


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the cluster's list, or a pod that should run one.

    id: None where no list and no answer has it.
    node: the node of its pod, or of its name and addresses; "" where none matches.
    pod: None where no static pod runs it. listed: None where it is in no list of members that could be read.
    status: its own answer; None where it gave none.
    problem: why it could not be asked in its own pod; "" where it was.
    asked_from: the node of the member from which it was asked over the network instead; "" otherwise.
    unreachable: why it gave no answer there, either.
    heard: whether another member says that it has a connection with it.
    hash: None where it was not taken.
    alarms: those that it has raised.
    """

    id: int | None
    name: str
    node: str
    pod: EtcdPod | None = None
    listed: Listed | None = None
    status: Status | None = None
    problem: str = ""
    asked_from: str = ""
    unreachable: str = ""
    hash: Hash | None = None
    alarms: tuple[str, ...] = ()
    heard: bool = False

    @property
    def up(self) -> bool:
        """Whether it has answered, in whichever way, or another member has a connection with it."""
        return self.status is not None or self.heard

    @property
    def learner(self) -> bool:
        """Whether it does not vote (yet)."""
        return bool((self.listed and self.listed.learner) or (self.status and self.status.learner))

    @property
    def leads(self) -> bool:
        """Whether it takes itself for the leader."""
        return self.status is not None and self.status.leader == self.status.member_id

    @property
    def quota(self) -> int:
        """Bytes that its database may have; 0 for no limit, or none that is known."""
        if self.status and self.status.quota:
            return max(self.status.quota, 0)
        if self.pod is None or self.pod.flags.config_file:
            return 0
        return max(self.pod.flags.quota or DEFAULT_QUOTA, 0)

    @property
    def title(self) -> str:
        """Its name, else its id as etcdctl writes it."""
        return self.name or (f"{self.id:x}" if self.id is not None else "?")

    @property
    def objects(self) -> tuple[str, ...]:
        """Its node, as findings name it; none where that is not known."""
        return (f"node/{self.node}",) if self.node else ()

    @property
    def unstarted(self) -> bool:
        """Whether it was added to the list and has never started since."""
        return self.listed is not None and not self.listed.name


@dataclass(frozen=True, slots=True)
class State:
    """A cluster's etcd.

    etcd: as the static pods have it.
    members: those of the list, and pods that are in none; in the order of their names.
    alarms: all that are raised, those of members that are in no list as well.
    hashed: the revision up to which hashes were taken; 0 where none were.
    unhashed: why hashes could not be compared; "" where they were.
    unanswered: questions about the cluster as a whole (its list of members, its alarms) that members were
    asked, and none has answered.
    """

    context: str
    server: str
    etcd: Etcd
    members: tuple[Member, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    hashed: int = 0
    unhashed: str = ""
    unanswered: tuple[Gap, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether any member has answered; without that nothing is known of etcd."""
        return any(member.up for member in self.members)

    @property
    def listed(self) -> bool:
        """Whether the list of members could be read; without it nobody knows who votes."""
        return any(member.listed for member in self.members)

    @property
    def voters(self) -> tuple[Member, ...]:
        """The members of the list that vote; none are known where it could not be read (`listed`)."""
        return tuple(member for member in self.members if member.listed and not member.learner)

    @property
    def quorum(self) -> int:
        """How many voters must be up."""
        return len(self.voters) // 2 + 1

    @property
    def spare(self) -> int:
        """How many more voters may fail before the quorum is lost; less than 0 where it is lost."""
        return sum(member.up for member in self.voters) - self.quorum

    @property
    def leader(self) -> Member | None:
        """The leader by the word of a member of the newest term; None where no leader is known."""
        statuses = [member.status for member in self.members if member.status and member.status.leader]
        newest = max(statuses, key=lambda status: status.term, default=None)
        if newest is None:
            return None
        return next((member for member in self.members if member.id == newest.leader), None)

    @property
    def differing(self) -> tuple[EtcdPod, ...]:
        """The pods whose data differs from the others'."""
        return disagreeing({one.pod: one.hash for one in self.members if one.pod and one.hash})

    @property
    def compared(self) -> bool:
        """Whether the hashes of all voting members could be held against each other."""
        voters = self.voters
        return self.hashed > 0 and not self.unhashed and bool(voters) and all(one.hash for one in voters)

    def lacking(self, node: str) -> str:
        """Why a node's own member is not at work, in words; "" where it is.

        Only a member whose static pod is on the node is the node's own: names and addresses are not evidence.
        """
        here = [member for member in self.members if member.pod and member.pod.node == node]
        if not here:
            return "found no static pod of etcd on it"
        return "; ".join(what for member in here if (what := missing(member)))

    @property
    def index(self) -> int:
        """The newest raft index that any member knows to be committed."""
        return max((member.status.index for member in self.members if member.status), default=0)


def missing(member: Member) -> str:
    """Why a member is not at work, in words; "" where it is."""
    if member.status is None:
        return "; ".join(filter(None, (member.problem, member.unreachable))) or "it does not answer"
    if member.listed is None:
        return "it is not known to be in the list of members"
    if member.learner:
        return "it does not vote"
    return "" if member.status.leader else "it knows no leader"


def titles_of(members: Iterable[Member]) -> str:
    """The names of members, in one line."""
    return ", ".join(member.title for member in members)


def objects_of(members: Iterable[Member]) -> tuple[str, ...]:
    """The nodes of members, as findings name them."""
    return tuple(name for member in members for name in member.objects)

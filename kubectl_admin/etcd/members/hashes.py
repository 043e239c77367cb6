"""Whether the members of etcd have the same data: their hashes, taken at one revision.

A hash covers what has happened from the last compaction up to a revision, so two of them can be compared only
where both revisions are the same. The cluster keeps writing and compacting: the revision is one that every
member already has, and hashes between which a compaction came are taken again.

Source: etcd server/storage/mvcc/hash.go, server/etcdserver/corrupt.go.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members.etcdctl import HASH_TIMEOUT, Etcdctl, EtcdctlError, Hash, Status
from kubectl_admin.etcd.members.pods import EtcdPod
from kubectl_admin.pool import ask_all
from kubectl_admin.report.text import duration

TRIES = 3  # the API servers compact every five minutes, and the members follow within a moment
ALL_HASHES_TIMEOUT = HASH_TIMEOUT + 30.0  # seconds for the hashes of all members together
# Bytes in use up to which hashes are taken without being asked for. A member delays writes while it computes
# one: half a second for so many.
SMALL = 512 << 20


@dataclass(frozen=True, slots=True)
class Comparison:
    """The members' hashes, by pod.

    revision: up to which they were taken; 0 where none were.
    problem: why they can't be compared, or not all of them; "" where they can, or there is only one member.
    """

    hashes: Mapping[EtcdPod, Hash] = field(default_factory=dict)
    revision: int = 0
    problem: str = ""


def compare(members: Mapping[EtcdPod, tuple[Etcdctl, Status]], wanted: bool | None) -> Comparison:
    """Takes the hashes of these members, which vote and have answered, until all agree or TRIES are over.

    wanted: None where only small databases are to be hashed.
    """
    if wanted is False or len(members) < 2:
        return Comparison(problem="not asked for" if wanted is False and len(members) > 1 else "")
    largest = max(status.in_use for _, status in members.values())
    if wanted is None and largest > SMALL:
        held = f"each member would delay writes for about {duration(largest / (1 << 30), tenths=True)}"
        return Comparison(problem=f"{held}; --hash compares all the same")
    revision = min(status.revision for _, status in members.values())
    found = Comparison()
    for _ in range(TRIES):
        found = take_hashes({pod: ctl for pod, (ctl, _) in members.items()}, revision)
        if not found.problem and len({one.value for one in found.hashes.values()}) == 1:
            break
        # Fresh ones after a compaction; and hashes that disagree are taken twice before they are reported.
        revision = max(revision, newest_common(members, found))
    return found


def take_hashes(members: Mapping[EtcdPod, Etcdctl], revision: int) -> Comparison:
    """Takes the members' hashes up to this revision."""
    answers = ask_all(
        {pod: partial(ctl.hash, revision) for pod, ctl in members.items()}, deadline=ALL_HASHES_TIMEOUT
    )
    hashes = {pod: answer for pod, answer in answers.items() if isinstance(answer, Hash)}
    problems = [
        f"{pod.node}: {answer.detail if isinstance(answer, EtcdctlError) else answer.what}"
        for pod, answer in answers.items()
        if isinstance(answer, AdminError)
    ]
    if not problems and len(compactions(hashes.values())) > 1:
        problems = ["a compaction came in between each time"]
    return Comparison(hashes, revision, "; ".join(problems))


def newest_common(members: Mapping[EtcdPod, tuple[Etcdctl, Status]], found: Comparison) -> int:
    """The newest revision that every member is known to have."""
    return min(
        found.hashes[pod].current if pod in found.hashes else fresh(ctl, status).revision
        for pod, (ctl, status) in members.items()
    )


def fresh(ctl: Etcdctl, status: Status) -> Status:
    """A member's status of now; the old one where it no longer answers."""
    try:
        return ctl.status()
    except AdminError:
        return status


def compactions(hashes: Iterable[Hash]) -> set[int]:
    """The revisions up to which history was compacted when these hashes were taken."""
    return {one.compacted for one in hashes}


def disagreeing(hashes: Mapping[EtcdPod, Hash]) -> tuple[EtcdPod, ...]:
    """The pods whose data differs from the others': the fewest of them, all where no side has more.

    Only hashes of the same revisions are held against each other.
    """
    alike: dict[tuple[int, int], dict[int, list[EtcdPod]]] = {}
    for pod, one in hashes.items():
        alike.setdefault((one.revision, one.compacted), {}).setdefault(one.value, []).append(pod)
    differing: list[EtcdPod] = []
    for sides in alike.values():
        most = max(len(side) for side in sides.values())
        largest = [side for side in sides.values() if len(side) == most]
        if len(sides) > 1:
            differing += [
                pod for side in sides.values() if len(largest) > 1 or side is not largest[0] for pod in side
            ]
    return tuple(differing)

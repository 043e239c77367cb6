"""Which archives of a store are kept, and which are removed. Pure.

Each rule keeps one archive of each of the last N periods in which there is any: the last one of the period.
Times are the manifests', in UTC: the answer is the same wherever, and whenever, it is asked.
An archive that was never verified, or is not whole, stands for no period, and leaves once a newer one that is
verified is kept. Archives that hold different things are judged apart: a snapshot of every hour does not
take the place of the only copy of the keys.

Ideas: restic forget (an archive may be kept by several rules; while a rule has not found its N, it keeps the
oldest, so that history grows up to its length), Gardener's etcd-backup-restore (the last one always stays).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from kubectl_admin.backup.facts import Archive, Kind
from kubectl_admin.errors import UsageError

Period = Callable[[datetime], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Retention:
    """How many archives to keep: the last ones, and one for each of so many hours, days, weeks, months."""

    last: int = 0
    hourly: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of an archive. reasons: why it is kept, in words; () for one that is removed."""

    archive: Archive
    reasons: tuple[str, ...]

    @property
    def keep(self) -> bool:
        """Whether it stays."""
        return bool(self.reasons)


def decide(archives: Iterable[Archive], uid: str, retention: Retention, now: datetime) -> list[Decision]:
    """What becomes of each archive of the cluster, the newest first; those of other clusters are left out.

    uid: of the cluster's namespace kube-system. now: an archive of later than that counts as no period's, and
    stays. Raises UsageError for a retention that keeps nothing.
    """
    if not uid:
        raise UsageError("it is not known whose archives these are", "name the cluster")
    if min(counts := [count for _, count, _ in _rules(retention)]) < 0 or not any(counts):
        raise UsageError("no rule keeps any archive", "give one, as --keep-last 10")
    own = [archive for archive in archives if archive.manifest.uid == uid]
    alike: dict[frozenset[Kind], list[Archive]] = {}
    for archive in sorted(own, key=_order, reverse=True):
        alike.setdefault(archive.manifest.kinds, []).append(archive)
    decided = [decision for some in alike.values() for decision in _decide(some, retention, now)]
    return sorted(decided, key=lambda decision: _order(decision.archive), reverse=True)


def _decide(archives: Sequence[Archive], retention: Retention, now: datetime) -> Iterator[Decision]:
    """The same for archives that hold the same things. archives: the newest first."""
    early = [archive for archive in archives if archive.manifest.taken > now]
    verified = [archive for archive in archives if archive.is_verified and archive not in early]
    reasons: dict[str, list[str]] = {archive.name: [] for archive in archives}
    for archive in early:
        reasons[archive.name].append("of the future")
    for archive in verified[:1]:
        reasons[archive.name].append("newest verified")
    for word, count, period in _rules(retention):
        for archive in _representatives(verified, count, period):
            reasons[archive.name].append(word)
    newest = verified[0].manifest.taken if verified else None
    for archive in archives:
        why = reasons[archive.name]
        if not archive.is_verified and not why and (newest is None or archive.manifest.taken > newest):
            why.append("no newer one is verified")
        yield Decision(archive, tuple(why))


def _representatives(archives: Sequence[Archive], count: int, period: Period | None) -> list[Archive]:
    """The archives that a rule keeps, of these, the newest first. period: None: each stands for itself."""
    if period is None:
        return list(archives[:count])
    found: dict[tuple[int, ...], Archive] = {}
    for archive in archives:
        found.setdefault(period(archive.manifest.taken.astimezone(UTC)), archive)
    kept = list(found.values())[:count]
    # A rule that has not found its N yet has the oldest one as well, if that is another.
    if 0 < len(kept) < count and archives[-1] is not kept[-1]:
        kept.append(archives[-1])
    return kept


def _rules(retention: Retention) -> tuple[tuple[str, int, Period | None], ...]:
    return (
        ("last", retention.last, None),
        ("hourly", retention.hourly, lambda moment: (moment.year, moment.month, moment.day, moment.hour)),
        ("daily", retention.daily, lambda moment: (moment.year, moment.month, moment.day)),
        ("weekly", retention.weekly, lambda moment: tuple(moment.isocalendar()[:2])),
        ("monthly", retention.monthly, lambda moment: (moment.year, moment.month)),
    )


def _order(archive: Archive) -> tuple[datetime, str]:
    return archive.manifest.taken, archive.name

"""One run of health: looks, waits, keeps a record, compares with an earlier one."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.retry import is_transient
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.health.again import compare
from kubectl_admin.health.again.wait import blind, late, wait_until_well
from kubectl_admin.health.again.window import Window
from kubectl_admin.health.gather import How, gather
from kubectl_admin.health.judge import judge
from kubectl_admin.health.look import Look, has_answered, look
from kubectl_admin.health.shown.ignore import Exemption
from kubectl_admin.health.shown.report import report
from kubectl_admin.part_file import PartFile
from kubectl_admin.report import Report
from kubectl_admin.report.progress import Progress


@dataclass(frozen=True, slots=True)
class Options:
    """How it is looked, and the use of the result.

    fail_on: the least severity that counts for the exit code; None for none. wide: for a wide table.
    wait: seconds until which it is waited for health. save: the file to write, replaced only with `force`.
    diff: the file to compare with.
    """

    how: How
    fail_on: Severity | None = Severity.VIOLATION
    exemptions: tuple[Exemption, ...] = ()
    wide: bool = False
    wait: float | None = None
    save: Path | None = None
    force: bool = False
    diff: Path | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a run. look: the last one; None where the API server has never answered.

    waited: whether it was waited for health, so that the report says itself what is missing.
    problem: why the look could not be saved or compared; the look itself is whole.
    """

    report: Report
    look: Look | None
    waited: bool = False
    problem: AdminError | None = None

    def require_whole(self) -> None:
        """Raises AdminError where a file could not be saved or compared, or where no component has answered.

        Nobody knows then how the cluster is.
        """
        if self.problem:
            raise self.problem
        if self.look and not self.waited and not has_answered(self.look):
            raise AdminError(
                "no component of the cluster has answered", "see above why, and docs/permissions.md"
            )


def take(
    cluster: Cluster,
    options: Options,
    answered: Callable[[int], None] | None = None,
    window: Window | None = None,
) -> Look:
    """Looks at the cluster. answered: as `gather` has it. window: remembers metrics from look to look."""
    facts = gather(cluster, options.how, answered)
    if window:
        facts = window.widen(facts)
    return look(facts, judge(facts), options.exemptions)


def run(
    connect: Callable[[], Cluster],
    options: Options,
    say: Callable[[str], None],
    progress: Callable[[], AbstractContextManager[Progress]],
) -> Outcome:
    """Looks, once or until all is well, keeps the record and compares it.

    connect: makes the connection. say: is told what is waited for. progress: shows how far a look has come.
    Raises AdminError, for a fault of a file before anything is asked.
    """
    before = compare.read(options.diff) if options.diff else None
    with PartFile(options.save, force=options.force) if options.save else nullcontext() as part:
        cluster = connect()
        is_named = part is not None or before is not None
        identity = early_identity(cluster, options) if is_named else ""
        if identity and before and options.diff:
            compare.require_same(identity, options.diff, before[0])

        def looked() -> Look:
            with progress() as shown:
                return take(cluster, options, shown.step)

        outcome = waited(looked, options, say) if options.wait else outcome_of(looked(), options)
        if outcome.look is None or not is_named:
            return outcome
        try:
            if not identity:
                identity = compare.identity(cluster)
                if before and options.diff:
                    compare.require_same(identity, options.diff, before[0])
        except AdminError as error:
            return replace(outcome, problem=error)
        if part:
            outcome = saved(outcome, outcome.look, identity, part)
        if before and options.diff and outcome.look:
            compared = compare.compare(outcome.look, options.diff, before[1])
            return replace(outcome, report=with_changes(outcome.report, compared, outcome.look))
        return outcome


def early_identity(cluster: Cluster, options: Options) -> str:
    """The cluster's own mark; "" where the API server is away, and it is waited for.

    Raises AdminError.
    """
    try:
        return compare.identity(cluster)
    except AdminError as error:
        if options.wait is None or not is_transient(error):
            raise
        return ""


def saved(outcome: Outcome, seen: Look, identity: str, part: PartFile) -> Outcome:
    """The outcome after its look was saved; with the problem where that failed.

    A look that nothing has answered is not kept.
    """
    if not has_answered(seen):
        return outcome
    try:
        compare.save(seen, identity, part)
    except AdminError as error:
        return replace(outcome, problem=error)
    return outcome


def waited(looked: Callable[[], Look], options: Options, say: Callable[[str], None]) -> Outcome:
    """Looks until all is well; a part that is not when the time is over is a violation of the report."""
    timeout = options.wait or 0
    waiting = wait_until_well(looked, options.fail_on or Severity.VIOLATION, timeout, say)
    if waiting.last is None:
        return Outcome(blind(waiting, timeout), None)
    beside = () if waiting.is_over else (late(waiting, timeout),)
    return replace(outcome_of(waiting.last, options, beside), waited=True)


def outcome_of(seen: Look, options: Options, beside: Sequence[Finding] = ()) -> Outcome:
    """The report of a look, with findings on what was done with it."""
    return Outcome(report(seen, wide=options.wide, fail_on=options.fail_on, beside=beside), seen)


def with_changes(shown: Report, compared: compare.Compared, seen: Look) -> Report:
    """The report with what has changed."""
    return replace(
        shown,
        paragraphs=[*shown.paragraphs, compared.paragraph(seen.facts.at)],
        fields={**shown.fields, "changes": [change.document() for change in compared.changes]},
    )

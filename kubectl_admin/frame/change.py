"""One contract for every verb that changes something: look, show, ask, do, report.

- While a person is asked, the plan is on standard error, as a table; with `--yes` only its warnings are, and
  what a verb never leaves unsaid.
- With `--dry-run`, and where nothing is to be done or something forbids it, the plan is the answer: it is on
  standard output, as `-o` says, and nothing is changed.
- Otherwise the answer is the outcome; as a document it has the plan's warnings as well. A violation among its
  findings is what is left to do: exit code 3.
- If an error or a signal ends the work half-way, the answer is the outcome so far, of the same kind and with
  the same fields; a document names what failed as well (rule «unfinished»). The exit code is the error's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kubectl_admin.errors import AdminError
from kubectl_admin.finding import UNFINISHED, Finding, Severity
from kubectl_admin.frame.failure import sentence

if TYPE_CHECKING:
    from kubectl_admin.frame.environment import Environment
    from kubectl_admin.report import Report

DOCUMENTS = ("json", "yaml")
REFUSED = "nothing was changed: the plan says what forbids it"


@dataclass(frozen=True, slots=True)
class ChangeOptions:
    """How a change is asked for.

    dry_run: only its plan is.
    yes: a person has agreed beforehand.
    """

    dry_run: bool = False
    yes: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change, before it is made.

    plan: its steps; a violation among its findings forbids it.
    question: the same for a person to agree to («drain node w1 of context prod»).
    is_ready: whether there is something to do, and nothing forbids it.
    is_over: whether nothing is left to do, whatever the plan finds.
    unasked: what of the plan is shown where nobody is asked (`--yes`), beside its warnings; None for no more.
    """

    plan: "Report"
    question: str
    is_ready: bool
    is_over: bool = False
    unasked: "Report | None" = None


def change(
    env: "Environment",
    options: ChangeOptions,
    proposal: Proposal,
    act: Callable[[], "Report"],
    *,
    so_far: Callable[[], "Report"],
) -> "Report":
    """Shows the plan, asks, acts, and shows the outcome; returns what decides the exit code.

    act: makes the change and returns its outcome; work that is left to do is a violation.
    so_far: the outcome up to now; it is shown where an error or a signal ends `act`.
    Raises UsageError where nobody can be asked, AdminError where the answer is no, and all errors of `act`.
    """
    if options.dry_run or not proposal.is_ready:
        env.show(proposal.plan)
        if not options.dry_run and proposal.plan.violated and not proposal.is_over:
            env.note(REFUSED)
        return proposal.plan
    warnings = [each for each in proposal.plan.findings if each.severity is Severity.WARNING]
    if not options.yes:
        env.show(proposal.plan, env.stderr, output="wide" if env.output == "wide" else "table")
    elif warnings or proposal.unasked:
        shown = proposal.unasked or replace(proposal.plan, tables=(), paragraphs=())
        env.show(replace(shown, findings=warnings), env.stderr, output="table")
    env.confirm(proposal.question, yes=options.yes)
    try:
        outcome = act()
    except BaseException as error:
        try:
            show_outcome(env, so_far(), [unfinished(proposal.question, error), *warnings])
        except AdminError as another:  # why the work has failed counts more
            env.note(another.what)
        raise
    show_outcome(env, outcome, warnings)
    return outcome


def unfinished(question: str, error: BaseException) -> Finding:
    """A change that ended half-way. question: the change, as a person is asked for it."""
    hint = error.hint if isinstance(error, AdminError) else None
    return UNFINISHED.violation(subject=question, evidence=sentence(error), fix=hint or "")


def show_outcome(env: "Environment", outcome: "Report", known: Sequence[Finding]) -> None:
    """Shows the outcome. known: a person sees them on stderr; a document gets them as well."""
    if env.output in DOCUMENTS:
        new = [each for each in known if each not in outcome.findings]
        outcome = replace(outcome, findings=[*outcome.findings, *new])
    env.show(outcome)

"""The outcome of the work after a restore, part by part."""

from dataclasses import dataclass

from kubectl_admin.finding import UNFINISHED, Finding
from kubectl_admin.plan import Step


@dataclass(frozen=True, slots=True)
class Outcome:
    """A step and what became of it.

    problem: why it is not done, in words; "" where it was seen done. fix: what to do about that.
    said: what was done, for a person. findings: of objects that it has named.
    """

    step: Step
    problem: str = ""
    fix: str = ""
    said: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether it was seen done."""
        return not self.problem

    def all_findings(self) -> tuple[Finding, ...]:
        """What it has named, and that it is not done: a violation."""
        if self.is_done:
            return self.findings
        where = f"node {self.step.node}: " if self.step.node else ""
        unfinished = UNFINISHED.violation(
            subject=f"{where}{self.step.title}",
            evidence=self.problem,
            fix=self.fix,
            objects=[f"node/{self.step.node}"] if self.step.node else [],
        )
        return (unfinished, *self.findings)


@dataclass(frozen=True, slots=True)
class Done:
    """What a step gives that was seen done. said, findings: as Outcome has them."""

    said: str = ""
    findings: tuple[Finding, ...] = ()

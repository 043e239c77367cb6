"""The contract of every verb that changes something: where the plan and the outcome are shown, and when."""

import io
import json

import pytest

from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.frame.change import ChangeOptions, Proposal, change
from kubectl_admin.frame.environment import Environment
from kubectl_admin.report import Report
from kubectl_admin.signals import Terminated

YES, DRY = ChangeOptions(yes=True), ChangeOptions(dry_run=True)


def report(kind, *severities):
    findings = [Finding(each, "a-rule", "subject", "says", "evidence") for each in severities]
    return Report(
        kind, items=lambda: [{"name": kind}], names=lambda: [kind], paragraphs=[kind], findings=findings
    )


PLAN, OUTCOME = report("Plan"), report("Outcome")


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Asked:
    """A person at a terminal, who gives one answer; and a change that is made, or not."""

    def __init__(self, answer="y", output="table", outcome=OUTCOME):
        self.env = Environment(Terminal(f"{answer}\n"), io.StringIO(), io.StringIO(), {}, output=output)
        self.outcome = outcome
        self.acted = False

    def act(self):
        self.acted = True
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome

    def change(self, options=None, plan=PLAN, *, is_ready=True, is_over=False, **more):
        proposal = Proposal(plan, "change it", is_ready, is_over)
        so_far = more.get("so_far", lambda: OUTCOME)
        return change(self.env, options or ChangeOptions(), proposal, self.act, so_far=so_far)

    @property
    def out(self):
        return self.env.stdout.getvalue()

    @property
    def err(self):
        return self.env.stderr.getvalue()


def test_whoever_is_asked_sees_the_plan_on_stderr_and_then_the_outcome_on_stdout():
    asked = Asked()
    assert asked.change() is OUTCOME
    assert (asked.out, asked.err) == ("Outcome\n", "Plan\nchange it? (y/N) ")


@pytest.mark.parametrize("answer", ["n", "", "yesterday"])
def test_without_a_yes_nothing_is_done(answer):
    asked = Asked(answer)
    with pytest.raises(AdminError, match="nothing was changed"):
        asked.change()
    assert not asked.acted
    assert asked.out == ""


def test_where_nobody_can_be_asked_nothing_is_done():
    asked = Asked()
    asked.env.stdin = io.StringIO("y\n")
    with pytest.raises(UsageError, match="change it"):
        asked.change()
    assert not asked.acted


def test_a_yes_beforehand_needs_no_plan():
    asked = Asked()
    assert asked.change(YES) is OUTCOME
    assert (asked.out, asked.err) == ("Outcome\n", "")


def test_a_yes_beforehand_hides_no_warning():
    asked, plan = Asked(), report("Plan", Severity.WARNING, Severity.NOTE)
    assert asked.change(YES, plan) is OUTCOME
    assert asked.out == "Outcome\n"
    assert asked.err == "warning: subject: evidence\n  rule: says\n"


@pytest.mark.parametrize("severities", [(), (Severity.WARNING, Severity.NOTE)])
def test_a_yes_beforehand_hides_nothing_that_is_never_left_unsaid(severities):
    asked, short = Asked(), Report("Plan", items=list, names=list, paragraphs=["3 are lost"])
    proposal = Proposal(report("Plan", *severities), "change it", is_ready=True, unasked=short)
    change(asked.env, YES, proposal, asked.act, so_far=lambda: OUTCOME)
    assert asked.out == "Outcome\n"
    assert asked.err.startswith("3 are lost\n")
    assert asked.err.count("warning: subject") == len(severities) // 2
    assert "note:" not in asked.err
    person = Asked()
    change(person.env, ChangeOptions(), proposal, person.act, so_far=lambda: OUTCOME)
    assert "3 are lost" not in person.err


@pytest.mark.parametrize("options", [YES, ChangeOptions()])
def test_the_document_of_the_outcome_has_the_warnings_of_the_plan_once(options):
    asked = Asked(output="json", outcome=report("Outcome", Severity.VIOLATION))
    asked.change(options, report("Plan", Severity.VIOLATION, Severity.WARNING, Severity.NOTE))
    document = json.loads(asked.out)
    assert [finding["severity"] for finding in document["findings"]] == ["violation", "warning"]
    assert "warning: subject" in asked.err
    again = Asked(output="yaml", outcome=report("Outcome", Severity.WARNING))
    again.change(options, report("Plan", Severity.WARNING))
    assert again.out.count("severity: warning") == 1


def test_the_warnings_are_in_the_document_of_what_was_done_before_an_error():
    asked = Asked(output="json", outcome=AdminError("it failed"))
    with pytest.raises(AdminError):
        asked.change(YES, report("Plan", Severity.WARNING), so_far=lambda: OUTCOME)
    found = json.loads(asked.out)["findings"]
    assert [(each["rule"], each["severity"]) for each in found] == [
        ("unfinished", "violation"),
        ("a-rule", "warning"),
    ]


@pytest.mark.parametrize(
    ("error", "evidence", "fix"),
    [
        (AdminError("node w1: no answer", "bring it back"), "node w1: no answer", "bring it back"),
        (AdminError("node w1: no answer"), "node w1: no answer", ""),
        (KeyboardInterrupt(), "interrupted", ""),
        (Terminated(15), "terminated", ""),
        (ValueError("x"), "internal error: ValueError: x", ""),
    ],
)
def test_a_document_of_what_was_done_names_what_failed(error, evidence, fix):
    asked = Asked(output="json", outcome=error)
    with pytest.raises(type(error)):
        asked.change(YES)
    document = json.loads(asked.out)
    (found,) = document["findings"]
    assert (document["kind"], found["subject"]) == ("Outcome", "change it")
    assert (found["evidence"], found["fix"]) == (evidence, fix)


@pytest.mark.parametrize("options", [DRY, ChangeOptions(dry_run=True, yes=True)])
def test_a_dry_run_has_the_plan_on_stdout_and_does_nothing(options):
    asked = Asked()
    assert asked.change(options) is PLAN
    assert (asked.out, asked.err, asked.acted) == ("Plan\n", "", False)


@pytest.mark.parametrize("options", [YES, ChangeOptions()])
def test_where_nothing_is_to_be_done_the_plan_is_the_answer(options):
    asked = Asked()
    assert asked.change(options, is_ready=False) is PLAN
    assert (asked.out, asked.err, asked.acted) == ("Plan\n", "", False)


def test_what_is_forbidden_is_not_done_and_that_is_said():
    asked, plan = Asked(), report("Plan", Severity.VIOLATION)
    assert asked.change(YES, plan, is_ready=False) is plan
    assert "Plan" in asked.out
    assert asked.err == "nothing was changed: the plan says what forbids it\n"
    assert not asked.acted


def test_nothing_forbids_a_change_that_is_over():
    asked, plan = Asked(), report("Plan", Severity.VIOLATION)
    assert asked.change(YES, plan, is_ready=False, is_over=True) is plan
    assert asked.err == ""


@pytest.mark.parametrize(("options", "kind"), [(YES, "Outcome"), (DRY, "Plan"), (ChangeOptions(), "Outcome")])
def test_a_document_is_one_alone_on_stdout(options, kind):
    asked = Asked(output="json")
    asked.change(options)
    assert json.loads(asked.out)["kind"] == kind
    assert "{" not in asked.err


def test_what_is_left_to_do_decides_the_exit_code():
    left = report("Outcome", Severity.VIOLATION)
    assert Asked(outcome=left).change().violated


@pytest.mark.parametrize("error", [AdminError("it failed"), KeyboardInterrupt()])
def test_what_was_done_before_an_error_is_shown_where_it_is_known(error):
    asked = Asked(outcome=error)
    with pytest.raises(type(error)):
        asked.change(YES, so_far=lambda: OUTCOME)
    assert asked.out == "Outcome\n"

    def unwritable():
        raise AdminError("stdout can't be written")

    unseen = Asked(outcome=error)
    with pytest.raises(type(error)):
        unseen.change(YES, so_far=unwritable)
    assert "stdout can't be written" in unseen.err

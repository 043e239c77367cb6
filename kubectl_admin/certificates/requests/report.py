"""How requests for certificates are shown: a row each, and its faults as findings. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from kubectl_admin.certificates.requests.approve import Outcome
from kubectl_admin.certificates.requests.facts import CLIENT, SERVING, Content
from kubectl_admin.certificates.requests.issued import CLOCK_GRACE, Issued, remedy
from kubectl_admin.certificates.requests.policy import (
    DOUBTS,
    FEW,
    MAX_DURATION,
    Breach,
    Judged,
    Verdict,
)
from kubectl_admin.certificates.requests.rules import (
    EXPIRATION,
    LASTS_LONGER,
    NOT_APPROVED,
    NOT_AS_JUDGED,
    NOT_ISSUED,
    PASSED_OVER,
)
from kubectl_admin.finding import Finding, Gap, Severity
from kubectl_admin.report import Cell, Column, Mark, Report, Table
from kubectl_admin.report.text import age, exactly

MARKS = {Verdict.REFUSED: Mark.BAD, Verdict.DOUBTFUL: Mark.DOUBT}
FOR = {SERVING: "serving", CLIENT: "client"}
COLUMNS = [
    Column("NAME"),
    Column("FOR"),
    Column("NODE"),
    Column("AGE"),
    Column("VERDICT"),
    Column("REASON"),
    Column("REQUESTER", wide=True),
    Column("KEY", wide=True),
    Column("ADDRESSES", wide=True),
    Column("SIGNER", wide=True),
]


def report(
    context: str,
    judged: Sequence[Judged],
    now: datetime,
    outcomes: Sequence[Outcome] | None = None,
    *,
    gaps: Iterable[Gap] = (),
    longest: int = MAX_DURATION,
) -> Report:
    """All that is said of requests. now: in UTC.

    outcomes: of those that were to be approved; None where none were meant to be.
    gaps: facts that requests of kubelets to serve could not be judged by. longest: seconds that a certificate
    was to last at most.
    """
    acted, outcomes = outcomes is not None, outcomes or ()
    became = {each.judged.request.uid: each for each in outcomes}
    # The last look counts: a request may have changed since it was listed.
    judged = [became[one.request.uid].judged if one.request.uid in became else one for one in judged]
    return Report(
        kind="CertificateSigningRequestReport",
        items=lambda: (document(one, became.get(one.request.uid)) for one in judged),
        names=lambda: (f"certificatesigningrequest.certificates.k8s.io/{one.request.name}" for one in judged),
        tables=[table(judged, now, became, acted=acted)] if judged else [],
        paragraphs=[summary(context, judged, outcomes)],
        findings=[*findings(judged), *failures(outcomes, longest), *notes(judged, gaps)],
        fields={"context": context},
    )


def table(judged: Iterable[Judged], now: datetime, became: dict[str, Outcome], *, acted: bool) -> Table:
    """A row a request, and after an approval what became of it."""

    def row(one: Judged) -> list[Cell | str]:
        request, content = one.request, one.request.content
        cells: list[Cell | str] = [
            request.name,
            FOR.get(request.signer, request.signer),
            one.node,
            age(request.created, now) if request.created else "",
            Cell(one.verdict, MARKS.get(one.verdict)),
            ", ".join(dict.fromkeys(breach.rule.id for breach in one.breaches)),
            request.username,
            content.key if content else "",
            ", ".join(named(content)) if content else "",
            request.signer,
        ]
        return [*cells[:6], result(became.get(request.uid)), *cells[6:]] if acted else cells

    columns = [*COLUMNS[:6], Column("RESULT"), *COLUMNS[6:]] if acted else COLUMNS
    return Table(columns, [row(one) for one in judged])


def result(outcome: Outcome | None) -> Cell | str:
    """The outcome of a request, in a word."""
    match outcome:
        case None:
            return "left alone"
        case Outcome(differs=True):
            return Cell("not as judged", Mark.BAD)
        case Outcome(issued=issued) if issued:
            return "issued"
        case Outcome(approved=True):
            return Cell("approved", Mark.DOUBT)
    return Cell("not approved", Mark.DOUBT)


def summary(context: str, judged: Sequence[Judged], outcomes: Sequence[Outcome]) -> str:
    """How many of each kind, and what to do next."""
    where = f"context {context}: " if context else ""
    if not judged:
        return f"{where}no request is pending"
    counts = Counter(one.verdict for one in judged)
    parts = [f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict]]
    approved = sum(each.approved for each in outcomes)
    if outcomes:
        return f"{where}{approved} of {len(judged)} approved ({', '.join(parts)})"
    requests = "request is" if len(judged) == 1 else "requests are"
    lines = [f"{where}{len(judged)} {requests} pending: {', '.join(parts)}"]
    if counts[Verdict.VALID]:
        lines.append("approve the valid ones: kubectl admin certs csr approve --all-valid")
    return "\n".join(lines)


def findings(judged: Iterable[Judged]) -> Iterator[Finding]:
    """The faults of each request: a violation where it is refused, a warning where a person decides."""
    for one in judged:
        for breach in one.breaches:
            yield finding(one, breach)


def finding(one: Judged, breach: Breach) -> Finding:
    """A rule that a request breaks."""
    name = one.request.name
    doubt = breach.rule in DOUBTS
    fix = f"if you know that it is right: kubectl admin certs csr approve {name}"
    if not doubt:
        fix = f"find out who sent it; deny it: kubectl certificate deny {name}"
    if breach.rule is EXPIRATION:
        fix = "allow it with --max-duration, or have the requester ask for less"
    return breach.rule.finding(
        Severity.WARNING if doubt else Severity.VIOLATION,
        subject=f"request of {one.request.username or 'nobody'}",
        evidence=breach.evidence,
        fix=fix,
        objects=(f"csr/{name}",),
    )


def failures(outcomes: Iterable[Outcome], longest: int) -> Iterator[Finding]:
    """Requests that were to be approved and are not, or whose certificate is not there or not right.

    longest: seconds that a certificate was to last at most.
    """
    for each in outcomes:
        objects = (f"csr/{each.judged.request.name}",)
        if each.issued and each.differs:
            yield NOT_AS_JUDGED.violation(
                subject=f"certificate of node {each.judged.node}",
                evidence=each.problem,
                fix=remedy(each.judged, each.issued),
                objects=objects,
            )
        elif each.problem:
            rule = NOT_ISSUED if each.approved else NOT_APPROVED
            yield rule.finding(
                Severity.WARNING if each.is_settled else Severity.VIOLATION,
                subject="approval",
                evidence=each.problem,
                objects=objects,
            )
        elif each.issued and each.issued.seconds > longest + CLOCK_GRACE:
            yield LASTS_LONGER.warning(
                subject=f"certificate of node {each.judged.node}",
                evidence=f"its request left the duration to the signer: {exactly(each.issued.seconds)}",
                fix="the signer's own limit is kube-controller-manager's --cluster-signing-duration",
                objects=objects,
            )


def notes(judged: Sequence[Judged], gaps: Iterable[Gap]) -> Iterator[Finding]:
    """Notes on the rest; none where no request was of the kind."""
    if any(one.request.signer == SERVING for one in judged):
        yield from (gap.finding() for gap in gaps)
    known = [one for one in judged if one.request.signer in FOR]
    passed = Counter(one.request.username for one in known if one.verdict is Verdict.NOT_JUDGED)
    for username, count in passed.items():
        yield PASSED_OVER.note(
            subject=f"requests of {username}",
            says=f"only the newest {FEW} pending requests of a node are judged",
            evidence=f"{count} older {'one is' if count == 1 else 'ones are'} not judged",
            fix="its kubelet waits only for the newest; to have another judged, name it",
        )


def named(content: Content) -> list[str]:
    """All alternative names of a request."""
    return [*content.dns_names, *map(str, content.addresses), *content.other_names]


def document(one: Judged, outcome: Outcome | None) -> dict[str, object]:
    """A request with its judgement as plain data."""
    request, content = one.request, one.request.content
    return {
        "name": request.name,
        "signerName": request.signer,
        "username": request.username,
        "groups": list(request.groups),
        "usages": list(request.usages),
        "expirationSeconds": request.expiration,
        "created": request.created.isoformat() if request.created else None,
        "node": one.node or None,
        "key": content.key if content else None,
        "dnsNames": list(content.dns_names) if content else None,
        "ipAddresses": list(map(str, content.addresses)) if content else None,
        "verdict": str(one.verdict),
        "reasons": [
            {"rule": breach.rule.id, "says": breach.rule.text, "evidence": breach.evidence}
            for breach in one.breaches
        ],
        **(result_document(outcome) if outcome else {}),
    }


def result_document(outcome: Outcome) -> dict[str, object]:
    """The outcome as plain data."""
    issued = outcome.issued
    return {
        "approved": outcome.approved,
        "certificate": issued_document(issued) if issued else None,
        "problem": outcome.problem or None,
    }


def issued_document(issued: Issued) -> dict[str, object]:
    """A certificate as plain data."""
    return {
        "serial": issued.serial,
        "notAfter": issued.ends.isoformat() if issued.ends else None,
        "key": issued.key,
        "differences": list(issued.differences),
    }

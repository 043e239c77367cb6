import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kubectl_admin.certificates.requests.approve import Outcome
from kubectl_admin.certificates.requests.issued import Issued
from kubectl_admin.certificates.requests.policy import MAX_DURATION, Judged, Verdict, judge
from kubectl_admin.certificates.requests.report import report
from kubectl_admin.finding import Gap, Severity
from kubectl_admin.report import document, terminal
from tests.unit.certificates.requests.samples import CONTENT, NEW_NODE, NODES, REQUEST

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
VALID = judge(replace(REQUEST, created=NOW - timedelta(minutes=12)), NODES)
FORGED = judge(
    replace(
        REQUEST,
        name="csr-2",
        uid="u2",
        username="system:node:cp1",
        usages=("any",),
        created=NOW - timedelta(seconds=45),
    ),
    NODES,
)
DOUBTFUL = judge(
    replace(
        NEW_NODE, name="csr-3", uid="u3", content=replace(NEW_NODE.content, common_names=("system:node:w1",))
    ),
    NODES,
)
OTHER = judge(replace(REQUEST, name="csr-4", uid="u4", signer="example.com/own", content=None), NODES)
ALL = [VALID, FORGED, DOUBTFUL, OTHER]


def text(shown, *, wide=False):
    return terminal.render(shown, wide=wide, headers=True, colour=False, width=80)


def test_each_request_is_a_row_with_its_verdict_and_what_is_wrong_a_finding():
    assert (
        text(report("prod", ALL, NOW))
        == """\
NAME   FOR              NODE  AGE  VERDICT     REASON
csr-1  serving          w1    12m  valid       -
csr-2  serving          w1    45s  refused!    requester, usages
csr-3  client           w1    -    doubtful?   node-exists
csr-4  example.com/own  -     -    not judged  -

context prod: 4 requests are pending: 1 valid, 1 doubtful, 1 refused, 1 not
  judged
approve the valid ones: kubectl admin certs csr approve --all-valid

violation: request of system:node:cp1 on csr/csr-2: the requester is
  system:node:cp1 (system:nodes, system:authenticated)
  rule: the requester is the node's own user in group system:nodes, or, for a
        client certificate, a bootstrap token in group system:bootstrappers
        (https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers)
  fix:  find out who sent it; deny it: kubectl certificate deny csr-2
violation: request of system:node:cp1 on csr/csr-2: the usages are «any», not
  «digital signature», «server auth»
  rule: the usages are exactly those that a kubelet asks for; only RSA keys can
        encipher keys
        (https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers)
  fix:  find out who sent it; deny it: kubectl certificate deny csr-2
warning: request of system:bootstrap:abcdef on csr/csr-3: node w1 exists
  already: the holder of the token would become that node; approve the request
  by its name if you are setting that node up again
  rule: a bootstrap token is for a node that does not exist yet
        (https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/)
  fix:  if you know that it is right: kubectl admin certs csr approve csr-3
"""
    )


def test_the_wide_table_says_who_asks_for_what():
    line = text(report("", [VALID], NOW), wide=True).splitlines()[1]
    assert line.split("  ")[-1] == "kubernetes.io/kubelet-serving"
    assert "w1, 10.0.0.11" in line
    assert "system:node:w1" in line


def test_without_requests_there_is_no_table():
    assert text(report("prod", [], NOW)) == "context prod: no request is pending\n"


def test_what_became_of_each_stands_in_a_column_of_its_own():
    issued = Outcome(VALID, approved=True, issued=Issued("abc", NOW))
    shown = report("prod", [VALID, FORGED], NOW, [issued])
    assert [line.split()[-1] for line in text(shown).splitlines()[:3]] == ["RESULT", "issued", "alone"]
    assert "context prod: 1 of 2 approved (1 valid, 1 refused)" in text(shown)
    assert json.loads(document.to_json(shown))["items"][0]["certificate"] == {
        "serial": "abc",
        "notAfter": "2026-11-25T12:00:00+00:00",
        "key": "",
        "differences": [],
    }


FOREIGN = Issued("a", NOW, "f00", differences=("it also names cp1",))


def test_a_certificate_that_is_not_what_was_judged_is_shouted_with_the_key_and_the_node():
    outcome = Outcome(VALID, approved=True, issued=FOREIGN, problem="it also names cp1")
    (found,) = report("", [VALID], NOW, [outcome]).findings
    assert (found.severity, found.rule, found.evidence) == (
        Severity.VIOLATION,
        "not-as-judged",
        "it also names cp1",
    )
    assert all(word in found.fix for word in ("SHA-256 f00", "node w1", "2026-11-25 12:00", "authority"))


@pytest.mark.parametrize(("seconds", "rules"), [(MAX_DURATION, []), (10 * MAX_DURATION, ["lasts-longer"])])
def test_a_certificate_whose_time_was_left_to_the_signer_may_last_longer_than_is_allowed(seconds, rules):
    outcome = Outcome(VALID, approved=True, issued=Issued("a", NOW, seconds=seconds))
    assert [each.rule for each in report("", [VALID], NOW, [outcome]).findings] == rules


@pytest.mark.parametrize(
    ("outcome", "word", "violated"),
    [
        (Outcome(VALID, approved=True, issued=Issued("abc", NOW)), "issued", False),
        (Outcome(VALID, approved=True, problem="no certificate was issued within 30s"), "approved?", True),
        (Outcome(VALID, approved=True, issued=FOREIGN, problem="it also names cp1"), "judged!", True),
        (Outcome(VALID, approved=True, issued=Issued("a", NOW, seconds=10 * MAX_DURATION)), "issued", False),
        (Outcome(VALID, problem="it no longer exists", is_settled=True), "approved?", False),
        (Outcome(VALID, problem="admission webhook denied the request"), "approved?", True),
    ],
)
def test_what_was_not_approved_or_not_issued_is_a_violation(outcome, word, violated):
    shown = report("", [VALID], NOW, [outcome])
    assert text(shown).splitlines()[1].split()[-1] == word
    assert shown.violated is violated


def test_what_was_seen_last_is_shown():
    changed = judge(replace(VALID.request, content=replace(CONTENT, signed=False)), NODES)
    shown = report("", [VALID], NOW, [Outcome(changed, problem="it has changed since it was judged")])
    assert shown.violated
    assert next(iter(shown.items()))["verdict"] == "refused"


def test_what_could_not_be_held_against_a_request_is_a_note_where_there_was_one():
    gap = Gap("whether a request names the API server's Service", "ann may not get services", "get services")
    shown = report("", [VALID], NOW, gaps=[gap])
    assert "ann may not get services" in text(shown)
    assert not shown.violated
    assert "ann" not in text(report("", [DOUBTFUL, OTHER], NOW, gaps=[gap]))


def test_names_are_kubectls():
    assert list(report("", [VALID], NOW).names()) == ["certificatesigningrequest.certificates.k8s.io/csr-1"]


def test_what_was_passed_over_is_a_note_a_requester():
    old = [
        Judged(replace(REQUEST, name=f"r{number}", uid=f"r{number}"), Verdict.NOT_JUDGED)
        for number in range(2)
    ]
    (note,) = report("prod", [*old, VALID, OTHER], NOW).findings
    assert (note.severity, note.rule, note.subject) == (
        Severity.NOTE,
        "passed-over",
        "requests of system:node:w1",
    )
    assert note.evidence == "2 older ones are not judged"

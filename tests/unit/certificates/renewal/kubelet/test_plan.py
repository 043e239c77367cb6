"""What forbids to ask a kubelet for new certificates, and what is shown beforehand."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kubectl_admin.certificates.renewable import CLIENT, SERVING
from kubectl_admin.certificates.renewal import report
from kubectl_admin.certificates.renewal.facts import Facts, Left, Node, Survey
from kubectl_admin.certificates.renewal.kubelet import plan
from kubectl_admin.certificates.x509 import Broken
from kubectl_admin.node.operation import Owner
from tests.unit.certificates.renewal.samples import ENDS, NOW, on_disk

SETTINGS = {"rotateCertificates": "true", "serverTLSBootstrap": "", "tlsCertFile": ""}
BOTH = (CLIENT, SERVING)


def node(name="w1", *, survey=None, **settings):
    seen = (on_disk(CLIENT, name), on_disk(SERVING, name))
    return Node(name, seen, survey or Survey(), settings={**SETTINGS, **settings})


def planned(*nodes, names=BOTH, now=NOW):
    return plan.rotation(Facts("prod", nodes), names, now)


def rules(*nodes, names=BOTH, now=NOW):
    return [(finding.rule, finding.objects) for finding in planned(*nodes, names=names, now=now).findings]


def test_both_of_every_node_in_their_order():
    made = planned(node("cp-1"), node("w1"))
    assert [(step.node, step.names) for step in made.steps] == [("cp-1", BOTH), ("w1", BOTH)]
    assert made.is_possible
    assert made.findings == ()


def test_what_is_shown_beforehand():
    shown = report.plan(planned(node(), names=(CLIENT,)))
    assert [str(cell) for cell in shown.tables[0].rows[0]][:4] == [
        "w1",
        "kubelet-client",
        "2027-11-25 12:00",
        "restart the kubelet, which gets a new one",
    ]
    assert "no pod is touched" in shown.paragraphs[0]
    assert "kept first" not in shown.paragraphs[0]


def test_a_kubelet_that_does_not_rotate_is_not_asked_to():
    silent = node("w2", rotateCertificates="")
    assert rules(node(), silent) == [("no-rotation", ("node/w2",))]
    assert not planned(silent).is_possible
    # What it serves has nothing to do with that setting.
    assert rules(silent, names=(SERVING,)) == []


def test_a_file_that_it_was_told_to_serve_is_somebody_elses():
    ours = node(tlsCertFile="/etc/ours.crt")
    assert rules(ours) == [("foreign-certificate", ("node/w1",))]
    assert rules(ours, names=(CLIENT,)) == []


def test_one_that_has_ended_asks_nobody_and_the_way_out_names_the_node():
    (finding,) = planned(node(), names=(CLIENT,), now=ENDS).findings
    assert finding.rule == "expired"
    assert "--client-name system:node:w1 > kubelet.conf" in finding.fix
    assert planned(node(), names=(CLIENT,), now=ENDS - timedelta(seconds=1)).is_possible


def test_one_that_is_embedded_ends_as_well():
    embedded = replace(node(), seen=(on_disk("kubelet.conf", "w1"),))
    assert rules(embedded, names=(CLIENT,)) == []
    assert rules(embedded, names=(CLIENT,), now=ENDS) == [("expired", ("node/w1",))]


def test_one_that_can_not_be_read():
    broken = replace(node(), seen=(on_disk(CLIENT, "w1", content=Broken("no PEM")),))
    (finding,) = planned(broken, names=(CLIENT,)).findings
    assert (finding.rule, finding.evidence) == ("broken-certificate", "kubelet-client: no PEM")


@pytest.mark.parametrize(
    ("survey", "rule"),
    [
        (Survey(kubelet=False), "kubelet-down"),
        (Survey(job=Left(active=True, owner=Owner("bob@desk", "b", 1, "2"))), "busy"),
    ],
)
def test_a_node_that_is_not_ready_for_it(survey, rule):
    assert rules(node(survey=survey)) == [(rule, ("node/w1",))]


def test_who_has_the_cluster_sign_what_it_serves_is_silent_for_a_while():
    made = planned(node("w1", serverTLSBootstrap="true"), node("w2"))
    assert [(finding.rule, finding.objects) for finding in made.findings] == [
        ("silent-meanwhile", ("node/w1",))
    ]
    assert made.is_possible

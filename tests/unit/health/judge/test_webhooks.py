from dataclasses import replace

import pytest

from kubectl_admin.drain.labels import Requirement, Selector
from kubectl_admin.health.judge import webhooks
from kubectl_admin.health.object_facts import Backend, Hook, Objects
from tests.unit.health.made import YESTERDAY, ago, facts

GUARD = ("guard", "guard")
LABELS = {"kubernetes.io/metadata.name": "kube-system"}
HOOK = Hook("validatingwebhook/policy", "a.example.com", GUARD, True, YESTERDAY)
IGNORED = replace(HOOK, fails=False, timeout=5)
CONVERSION = Hook("crd/widgets.example.com", "", GUARD, True, YESTERDAY)
NONE = Backend(True, changed=ago(600))
MISSING = Backend(False)


def judged(*hooks, backend=NONE, labels=None):
    """What is found of webhooks that all have one Service."""
    objects = Objects(
        hooks=hooks,
        backends={GUARD: backend} if backend else {},
        system_labels=LABELS if labels is None else labels,
    )
    return list(webhooks.backends(facts(objects=objects)))


@pytest.mark.parametrize(
    ("hook", "backend", "severity"),
    [
        (HOOK, Backend(None, ("guard-1",), (), ago(600)), None),
        (HOOK, NONE, "violation"),
        (IGNORED, NONE, "warning"),
        (CONVERSION, NONE, "violation"),
        (HOOK, Backend(True, (), ("guard-1",), ago(61)), "violation"),
        (HOOK, Backend(True, (), ("guard-1",), ago(59)), "note"),  # a drain may just be moving its only pod
        (IGNORED, Backend(True, changed=ago(59)), "note"),
        (HOOK, Backend(True), "violation"),  # there never was an endpoint
        (HOOK, MISSING, "violation"),
        (replace(HOOK, created=ago(30)), MISSING, "note"),  # it is just being installed
        (replace(HOOK, service=None), NONE, None),  # called by a URL, which can't be looked at from here
        (HOOK, Backend(True, elsewhere="guard.example.com"), None),
        (HOOK, None, None),  # not to be seen: a gap says so
    ],
)
def test_a_webhook_needs_somebody_behind_its_service(hook, backend, severity):
    found = [(str(one.severity), one.rule, one.objects) for one in judged(hook, backend=backend)]
    assert found == ([(severity, "webhook-no-backend", (hook.holder,))] if severity else [])


@pytest.mark.parametrize(
    ("hook", "evidence"),
    [
        (
            replace(HOOK, namespaces=Selector((Requirement("guard", "Exists"),))),
            "the Service has no endpoint; every request that validatingwebhook/policy asks about is refused",
        ),
        (
            replace(HOOK, covers=("pods", "leases")),
            "the Service has no endpoint; every request that validatingwebhook/policy asks about is refused;"
            " pods and leases are among them; namespace kube-system is not exempt",
        ),
        (
            IGNORED,
            "the Service has no endpoint; every request that validatingwebhook/policy asks about goes on"
            " without it, after up to 5 s; namespace kube-system is not exempt",
        ),
        (
            CONVERSION,
            "the Service has no endpoint; objects of crd/widgets.example.com can't be read or written in"
            " another version than the stored one",
        ),
    ],
)
def test_the_consequences_are_told(hook, evidence):
    (found,) = judged(hook)
    assert found.evidence == evidence


@pytest.mark.parametrize(
    ("requirement", "exempt"),
    [
        (Requirement("kubernetes.io/metadata.name", "NotIn", ("kube-system",)), True),
        (Requirement("control-plane", "DoesNotExist"), False),
        (Requirement("inject", "In", ("yes",)), True),
    ],
)
def test_kube_system_is_exempt_by_its_labels(requirement, exempt):
    (found,) = judged(replace(HOOK, namespaces=Selector((requirement,))))
    assert ("kube-system is not exempt" not in found.evidence) is exempt


def test_nothing_is_said_of_an_exemption_where_the_labels_are_not_known():
    (found,) = judged(HOOK, labels={})
    assert "exempt" not in found.evidence


def test_webhooks_of_one_service_that_fail_alike_are_one_finding():
    other = replace(HOOK, holder="mutatingwebhook/policy", name="b.example.com")
    both, ignored = judged(HOOK, other, replace(HOOK, name="c.example.com"), IGNORED)
    assert both.objects == ("validatingwebhook/policy", "mutatingwebhook/policy")
    assert both.since == ago(600)
    assert str(ignored.severity) == "warning"


def test_what_is_behind_the_service_is_told():
    (missing,) = judged(HOOK, backend=MISSING)
    (unready,) = judged(HOOK, backend=Backend(True, (), ("guard-1", "guard-2"), ago(600)))
    assert missing.evidence.startswith("the Service does not exist; ")
    assert unready.evidence.startswith("none of its endpoints is ready: guard-1, guard-2; ")
    assert missing.since is None


def test_no_definition_is_said_to_be_deleted():
    (found,) = judged(CONVERSION)
    assert found.fix == "bring up its pods: kubectl -n guard get pods"

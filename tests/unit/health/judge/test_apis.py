from dataclasses import replace
from datetime import timedelta

import pytest

from kubectl_admin.health.facts import Condition
from kubectl_admin.health.judge import apis
from kubectl_admin.health.object_facts import Aggregated, Identity, Objects, SigningRequest, Terminating
from tests.unit.health.made import (
    APISERVER,
    AT,
    YESTERDAY,
    ago,
    bad,
    facts,
    no_reply,
    node,
    pod,
    process,
    with_process,
)

METRICS = "v1beta1.metrics.k8s.io"


def short(found):
    """Severity, rule and objects of each finding."""
    return [(str(one.severity), one.rule, one.objects) for one in found]


def judged(check, *nodes, server_time=None, **objects):
    """What a check finds in these objects."""
    return list(check(facts(*nodes, objects=Objects(**objects), server_time=server_time)))


def unavailable(seconds=600, reason="MissingEndpoints", status="False"):
    """An API of which the condition Available is so since so many seconds."""
    condition = Condition("Available", status, reason, "nobody there", ago(seconds))
    return Aggregated(METRICS, ("kube-system", "metrics-server"), YESTERDAY, condition)


@pytest.mark.parametrize(
    ("api", "severity"),
    [
        (unavailable(status="True"), None),
        (unavailable(), "violation"),
        (unavailable(61), "violation"),
        (unavailable(59), "note"),  # its only pod may be on its way to another node
        (unavailable(5, "ServiceNotFound"), "violation"),  # no update takes a Service away
        (replace(unavailable(), available=None), None),
        (unavailable(status="Unknown"), None),
    ],
)
def test_an_api_that_is_not_available(api, severity):
    found = judged(apis.aggregated, aggregated=(api,))
    assert short(found) == (
        [(severity, "apiservice-unavailable", (f"apiservice/{METRICS}",))] if severity else []
    )


def test_the_namespaces_that_hang_with_an_api_are_named():
    hanging = Terminating("old", ago(60), (Condition("NamespaceDeletionDiscoveryFailure", "True"),))
    other = Terminating("other", ago(60), (Condition("NamespaceFinalizersRemaining", "True"),))
    (found,) = judged(apis.aggregated, aggregated=(unavailable(),), terminating=(hanging, other))
    assert found.evidence == (
        "MissingEndpoints: nobody there; namespaces that are deleted stay Terminating, and garbage is not"
        " collected, until every API answers; so do now old"
    )
    assert found.since == ago(600)


def test_ages_are_those_of_the_api_servers_clock_and_not_of_this_machine():
    behind = {"aggregated": (unavailable(30),)}
    assert short(judged(apis.aggregated, **behind))[0][0] == "note"
    assert short(judged(apis.aggregated, server_time=AT + timedelta(hours=1), **behind))[0][0] == "violation"


@pytest.mark.parametrize(
    ("remains", "evidence", "fix"),
    [
        ((), "its conditions do not say what is left", "look at its conditions"),
        (
            (Condition("NamespaceContentRemaining", "True", message="1 pod"),),
            "1 pod",
            "look at its conditions",
        ),
        (
            (
                Condition("NamespaceContentRemaining", "True", message="1 widget"),
                Condition("NamespaceFinalizersRemaining", "True", message="example.com/hold in 1"),
            ),
            "1 widget; example.com/hold in 1",
            "let whoever has set",
        ),
        (
            (Condition("NamespaceDeletionDiscoveryFailure", "True", message="stale"),),
            "stale",
            "bring up the API",
        ),
    ],
)
def test_a_namespace_that_is_not_gone(remains, evidence, fix):
    (found,) = judged(apis.terminating, terminating=(Terminating("old", ago(960), remains),))
    assert short([found]) == [("warning", "namespace-terminating", ("namespace/old",))]
    assert found.evidence == f"it was deleted 16 minutes ago; {evidence}"
    assert found.fix.startswith(fix)


@pytest.mark.parametrize(("seconds", "found"), [(0, False), (899, False), (901, True)])
def test_a_namespace_has_a_quarter_of_an_hour(seconds, found):
    assert bool(judged(apis.terminating, terminating=(Terminating("old", ago(seconds)),))) is found


def test_requests_that_nobody_decides():
    def request(name, seconds, signer="kubernetes.io/kubelet-serving"):
        return SigningRequest(name, signer, f"system:node:{name}", ago(seconds))

    found = judged(
        apis.requests,
        requests=(request("a", 3601), request("b", 3599), request("c", 7200), request("d", 3601, "x/y")),
    )
    assert short(found) == [
        ("note", "csr-pending", ("csr/a", "csr/c")),
        ("note", "csr-pending", ("csr/d",)),
    ]
    assert found[0].evidence == "of system:node:a, system:node:c: neither approved nor denied"
    assert found[0].since == ago(7200)


def serving(name, address, *, since=3600, **flags):
    """A control plane whose API server advertises an address."""
    given = {"advertise-address": address, **flags}
    shown = pod(APISERVER, name, since=ago(since))
    return node(name, [process(APISERVER, name, flags=given, pod=shown)], address=address)


def identity(host, seconds=5):
    """The Lease of the API server on a machine."""
    return Identity(f"apiserver-{host}", host, ago(seconds))


CP1, CP2 = serving("cp-1", "10.0.0.11"), serving("cp-2", "10.0.0.12")
BOTH = ("10.0.0.11", "10.0.0.12")


@pytest.mark.parametrize(
    ("nodes", "instances", "objects"),
    [
        ((CP1, CP2), BOTH, []),
        ((CP1, CP2), ("10.0.0.11",), [("node/cp-2",)]),
        ((CP1, CP2), None, []),  # not to be seen
        ((CP1, serving("cp-2", "10.0.0.12", since=30)), ("10.0.0.11",), []),  # it has just begun
        ((CP1, CP2), (*BOTH, "10.0.0.13"), [("service/default/kubernetes",)]),
        # A control plane that joins has its node first, and its label last.
        ((CP1, CP2, node("w3", address="10.0.0.13")), (*BOTH, "10.0.0.13"), []),
        ((CP1, serving("cp-2", "")), ("10.0.0.11",), []),  # nobody knows where it is
        ((CP1, serving("cp-2", "10.0.0.12", **{"endpoint-reconciler-type": "none"})), ("10.0.0.11",), []),
        ((node("w1"),), BOTH, []),  # no API server of it runs as a static pod
    ],
)
def test_every_api_server_is_behind_the_service(nodes, instances, objects):
    found = judged(apis.instances, *nodes, instances=instances)
    assert short(found) == [("warning", "apiserver-count", one) for one in objects]


@pytest.mark.parametrize("reply", [no_reply("refused"), no_reply("silent"), bad()])
def test_an_api_server_that_does_not_answer_has_a_finding_of_its_own(reply):
    gone = with_process(CP2, APISERVER, replies={"/readyz": reply})
    assert judged(apis.instances, CP1, gone, instances=BOTH[:1], identities=(identity("cp-1"),)) == []


@pytest.mark.parametrize(
    ("identities", "objects"),
    [
        ((identity("cp-1"), identity("cp-2")), []),
        ((identity("cp-1"),), [("node/cp-2",)]),
        ((identity("cp-1"), identity("cp-2", 3601)), [("node/cp-2",)]),
        ((identity("cp-1"), identity("cp-2", 3599)), []),
        ((), []),  # they are switched off
        (None, []),
        ((identity("ip-10-0-0-11"), identity("cp-2")), []),  # machines that have other names than nodes
    ],
)
def test_every_api_server_has_its_lease(identities, objects):
    found = judged(apis.instances, CP1, CP2, instances=BOTH, identities=identities)
    assert short(found) == [("warning", "apiserver-count", one) for one in objects]


def test_an_api_server_that_is_not_ready_is_judged_by_others():
    here = serving("cp-2", "10.0.0.12")
    ended = replace(here.processes[0], pod=pod(APISERVER, "cp-2", ready=False, since=ago(600)))
    here = replace(here, processes=(ended, *here.processes[1:]))
    assert judged(apis.instances, CP1, here, instances=("10.0.0.11",), identities=(identity("cp-1"),)) == []


def test_nothing_is_found_where_nothing_was_listed():
    checks = (apis.aggregated, apis.instances, apis.terminating, apis.requests)
    assert [one for check in checks for one in check(facts(CP1, CP2))] == []

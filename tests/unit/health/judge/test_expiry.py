import ssl

import pytest

from kubectl_admin.certificates.facts import Source, Use
from kubectl_admin.health.facts import Endpoint
from kubectl_admin.health.judge import expiry
from kubectl_admin.health.object_facts import Objects
from tests.unit.certificates import samples
from tests.unit.health.made import APISERVER, KUBELET, MANAGER, facts, node, process, with_process


def shown(days, **more):
    """A certificate as it is shown in a handshake."""
    return ssl.PEM_cert_to_DER_cert(samples.pem(days=days, **more).decode())


def short(found):
    """Severity, rule, subject and objects of each finding."""
    return [(str(one.severity), one.rule, one.subject, one.objects) for one in found]


def judged(*nodes, certificates=()):
    """What is found at the moment for which the samples are made."""
    here = facts(*nodes, at=samples.NOW, objects=Objects(certificates=tuple(certificates)))
    return short(expiry.certificates(here))


@pytest.mark.parametrize(
    ("days", "severity", "rule"),
    [(365, None, ""), (31, None, ""), (29, "warning", "expires-soon"), (6, "violation", "expires-soon")],
)
def test_what_components_have_shown_is_judged_as_certs_does(days, severity, rule):
    endpoint = Endpoint("10.0.0.11", 6443, "https")
    here = with_process(node("cp-1"), APISERVER, certificate=shown(days), endpoint=endpoint)
    expected = [(severity, rule, "apiserver", ("node/cp-1",))] if severity else []
    assert judged(here) == expected


@pytest.mark.parametrize(
    ("component", "name"), [(KUBELET, "kubelet-serving"), (MANAGER, "controller-manager-serving")]
)
def test_certificates_have_the_names_that_certs_gives_them(component, name):
    here = with_process(node("cp-1"), component, certificate=shown(-1))
    ((_, rule, subject, _),) = judged(here)
    assert (rule, subject) == ("expired", name)


def test_certificates_of_objects_and_of_the_user():
    holder = "validatingwebhook/policy"
    content = samples.certificate(days=-1, authority=True)
    bundle = samples.seen(holder, content, node="", source=Source.OBJECT, use=Use.AUTHORITY, where=holder)
    own = samples.seen("user ops", samples.certificate(days=5), node="", source=Source.USER, use=Use.CLIENT)
    assert judged(certificates=(bundle, own)) == [
        ("violation", "expired", "caBundle", (holder,)),
        ("violation", "expires-soon", "user ops", ()),
    ]


def test_a_component_that_has_shown_nothing_is_not_judged():
    garbled = with_process(node("cp-1", [process(KUBELET, "cp-1")]), KUBELET, certificate=b"no certificate")
    assert judged(garbled) == []

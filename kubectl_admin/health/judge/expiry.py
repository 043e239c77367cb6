"""The judgement on certificates, by the code and the limits of `certs`. Pure.

They are those in the API's objects, the user's own, and those that components have shown when they were
asked: nothing is asked for them alone. `kubectl admin certs` looks at the nodes' disks as well.
"""

from collections.abc import Iterator

from kubectl_admin.certificates import facts as certificate_facts
from kubectl_admin.certificates import judge as certificate_judge
from kubectl_admin.certificates import x509
from kubectl_admin.certificates.facts import Seen
from kubectl_admin.certificates.inventory.answers import shown
from kubectl_admin.certificates.inventory.components import Port
from kubectl_admin.certificates.judge.expiry import Thresholds
from kubectl_admin.certificates.x509 import Certificate
from kubectl_admin.control_plane.component import Component
from kubectl_admin.finding import Finding
from kubectl_admin.health.facts import Facts
from kubectl_admin.health.object_facts import Objects

# By which name the certificate of a component is known to `certs`, where it is not «…-serving».
NAMES = {Component.APISERVER: "apiserver", Component.ETCD: "etcd-server"}


def certificates(facts: Facts) -> Iterator[Finding]:
    """Certificates that have expired, will soon, or are not valid yet."""
    seen = ((facts.objects or Objects()).certificates, tuple(served(facts)))
    known = certificate_facts.Facts(
        context=facts.context,
        server=facts.server,
        user="",
        nodes=tuple(node.name for node in facts.nodes),
        seen=tuple(one for each in seen for one in each),
    )
    yield from certificate_judge.judge(known, facts.now, Thresholds())


def served(facts: Facts) -> Iterator[Seen]:
    """The certificates that components have shown."""
    for node in facts.nodes:
        for process in node.processes:
            if process.certificate is None or process.endpoint is None:
                continue
            found = x509.of_der(process.certificate)
            if isinstance(found, Certificate):
                name = NAMES.get(process.component, "")
                yield shown(Port(node.name, process.component, process.endpoint.port, name), found)

from types import SimpleNamespace

import pytest

from kubectl_admin.certificates.facts import Source, Use
from kubectl_admin.certificates.inventory import expired, user
from kubectl_admin.cluster.errors import Forbidden, Unauthorized, Unreachable
from kubectl_admin.errors import AdminError
from tests.unit.certificates.samples import NOW, authority, certificate, seen

CLUSTER = SimpleNamespace(server="https://10.0.0.10:6443")
REFUSED = Unauthorized(401, "Unauthorized", "Unauthorized")
ALERT = Unreachable("Unable to connect to the server: tls: sslv3 alert certificate expired")
EXPIRED = Unreachable(
    "Unable to connect to the server: tls: failed to verify certificate: certificate has expired"
)


@pytest.fixture
def explained(monkeypatch):
    """The error as it is said to a user with these certificates."""

    def explained(error, *mine):
        monkeypatch.setattr(user, "seen", lambda _cluster: iter(mine))
        return expired.explained(CLUSTER, error, NOW)

    return explained


def own(days, *organizations):
    found = certificate("ops", days=days, organizations=organizations)
    return seen("user ops", found, node="", source=Source.USER, use=Use.CLIENT, where="/home/ops/ops.crt")


@pytest.mark.parametrize("error", [REFUSED, ALERT])
@pytest.mark.parametrize(
    ("organization", "config"),
    [("kubeadm:cluster-admins", "admin.conf"), ("system:masters", "super-admin.conf")],
)
def test_the_administrators_own_certificate_has_ended(explained, error, organization, config):
    said = explained(error, own(-3, organization), authority(node=""))
    assert said.what == "the client certificate of user ops expired 3 days ago (/home/ops/ops.crt)"
    assert said.hint == (
        f"on a control-plane node: kubeadm certs renew {config}; then use /etc/kubernetes/{config} from there"
    )


def test_somebody_elses_certificate_has_to_be_signed_anew(explained):
    assert explained(REFUSED, own(-3, "developers")).hint.startswith("have a new one signed")


@pytest.mark.parametrize(
    ("error", "mine"),
    [
        (REFUSED, [own(3)]),
        (REFUSED, []),
        (Forbidden(403, "Forbidden", "no"), [own(-3)]),
        (Unreachable("no route to host"), [own(-3)]),
    ],
)
def test_what_has_another_cause_stays_as_it_is(explained, error, mine):
    assert explained(error, *mine) is error


def test_the_api_servers_certificate_has_ended(explained):
    said = explained(EXPIRED, own(3), authority(node="", days=10))
    assert said.what.startswith("the certificate of the API server at https://10.0.0.10:6443 has expired")
    # Seen: an API server with a new certificate does not start while etcd's has expired, too.
    assert "kubeadm certs renew all; move all manifests" in said.hint


def test_the_clusters_authority_has_ended(explained):
    said = explained(EXPIRED, own(3), authority(node="", days=-1))
    assert said.what.startswith("the authority of the cluster expired 24 hours ago")
    assert "docs/certificates.md" in said.hint


def test_a_kubeconfig_that_can_not_be_read_explains_nothing(monkeypatch):
    def broken(_cluster):
        raise AdminError("unable to read client-certificate")

    monkeypatch.setattr(user, "seen", broken)
    assert expired.explained(CLUSTER, REFUSED, NOW) is REFUSED

import pytest

from kubectl_admin.certificates.facts import Source, Use
from kubectl_admin.certificates.inventory import expired
from kubectl_admin.cluster.errors import Forbidden, Unauthorized, Unreachable
from kubectl_admin.cluster.kubeconfig import Target, material
from tests.unit.certificates.samples import NOW, authority, certificate, seen

SERVER = "https://10.0.0.10:6443"
REFUSED = Unauthorized(401, "Unauthorized", "Unauthorized")
ALERT = Unreachable("Unable to connect to the server: tls: sslv3 alert certificate expired")
EXPIRED = Unreachable(
    "Unable to connect to the server: tls: failed to verify certificate: certificate has expired"
)


def explained(error, *mine):
    """The error as it is said to a user with these certificates."""
    return expired.explain(error, mine, SERVER, NOW)


def own(days, *organizations):
    found = certificate("ops", days=days, organizations=organizations)
    return seen("user ops", found, node="", source=Source.USER, use=Use.CLIENT, where="/home/ops/ops.crt")


@pytest.mark.parametrize("error", [REFUSED, ALERT])
@pytest.mark.parametrize(
    ("organization", "config"),
    [("kubeadm:cluster-admins", "admin.conf"), ("system:masters", "super-admin.conf")],
)
def test_the_administrators_own_certificate_has_ended(error, organization, config):
    said = explained(error, own(-3, organization), authority(node=""))
    assert said.what == "the client certificate of user ops expired 3 days ago (/home/ops/ops.crt)"
    assert said.hint == (
        f"on a control-plane node: kubeadm certs renew {config}; then use /etc/kubernetes/{config} from there"
    )


def test_somebody_elses_certificate_has_to_be_signed_anew():
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
def test_what_has_another_cause_stays_as_it_is(error, mine):
    assert explained(error, *mine) is error


def test_the_api_servers_certificate_has_ended():
    said = explained(EXPIRED, own(3), authority(node="", days=10))
    assert said.what.startswith("the certificate of the API server at https://10.0.0.10:6443 has expired")
    # Seen: an API server with a new certificate does not start while etcd's has expired, too.
    assert "kubeadm certs renew all; move all manifests" in said.hint


def test_the_clusters_authority_has_ended():
    said = explained(EXPIRED, own(3), authority(node="", days=-1))
    assert said.what.startswith("the authority of the cluster expired 24 hours ago")
    assert "docs/certificates.md" in said.hint


def test_a_kubeconfig_that_can_not_be_read_explains_nothing(tmp_path):
    user = {"client-certificate": str(tmp_path / "missing.crt"), "client-key": str(tmp_path / "missing.key")}
    cluster = Unreadable(Target("lab", "lab", "ops", "default", {"server": SERVER}, user))
    assert expired.explained(cluster, REFUSED, NOW) is REFUSED


class Unreadable:
    """A connection whose kubeconfig names files that have gone since."""

    server = SERVER

    def __init__(self, target):
        self.target = target

    @property
    def client_certificate(self):
        return material(self.target, "client-certificate")

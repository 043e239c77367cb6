import base64
from types import SimpleNamespace

import pytest

from kubectl_admin.certificates.facts import Source, Use
from kubectl_admin.certificates.inventory import user
from kubectl_admin.cluster.kubeconfig import Target
from kubectl_admin.errors import AdminError
from tests.unit.certificates.samples import key_pem, pem

AUTHORITY = base64.b64encode(pem("kubernetes", authority=True)).decode()


def cluster(certificate, user=None, **entry):
    server = {"server": "https://10.0.0.11:6443", **entry}
    target = Target("lab", "prod", "ops", "default", server, user or {})
    return SimpleNamespace(target=target, client_certificate=certificate)


@pytest.mark.parametrize(
    ("entry", "where"),
    [
        ({"client-certificate-data": "x"}, 'client-certificate-data of user "ops"'),
        ({"client-certificate": "/home/ops/ops.crt"}, "/home/ops/ops.crt"),
        ({"exec": {"command": "/usr/bin/login"}}, "given by the plugin /usr/bin/login"),
    ],
)
def test_the_clients_own_and_where_it_comes_from(entry, where):
    (found,) = user.seen(cluster(pem("ops") + key_pem(), entry))
    assert (found.name, found.where, found.certificate.common_name) == ("user ops", where, "ops")
    assert (found.source, found.use) == (Source.USER, Use.CLIENT)
    assert found.by_plugin is ("exec" in entry)


def test_whom_the_kubeconfig_trusts():
    (found,) = user.seen(cluster(None, **{"certificate-authority-data": AUTHORITY}))
    assert (found.name, found.use) == ("kubeconfig (authority)", Use.AUTHORITY)
    assert found.where == 'certificate-authority of cluster "prod"'


def test_who_has_a_token_and_trusts_the_system():
    assert list(user.seen(cluster(None, {"token": "x"}))) == []


def test_a_file_that_can_not_be_read():
    with pytest.raises(AdminError, match="unable to read certificate-authority"):
        list(user.seen(cluster(None, **{"certificate-authority": "/nosuch"})))

"""Kubelets asked for new certificates, on a real node; openssl says what lies there and what is served."""

import json
from collections.abc import Iterator

import pytest

from tests import permissions
from tests.cluster.labs import admin, stage_of
from tests.lab.nodes.lab import Lab

pytestmark = pytest.mark.lab

NODE = "worker-1"
PAIR = "/var/lib/kubelet/pki/kubelet-client-current.pem"
CONF = "/etc/kubernetes/kubelet.conf"
SERVED = "openssl s_client -connect 127.0.0.1:10250 < /dev/null 2> /dev/null | openssl x509 -noout -serial"
EMBED = (
    f'data=$(base64 -w 0 {PAIR}); sed -i -e "s|client-certificate: .*|client-certificate-data: $data|" '
    f'-e "s|client-key: .*|client-key-data: $data|" {CONF}'
)


def serials(lab: Lab) -> tuple[str, str]:
    """The serial numbers of what the kubelet shows to API servers, and of what it serves."""
    own = lab.exec(NODE, ["openssl", "x509", "-noout", "-serial", "-in", PAIR]).stdout
    served = lab.exec(NODE, ["sh", "-c", SERVED], timeout=180).stdout
    return own.strip().removeprefix("serial="), served.strip().removeprefix("serial=")


@pytest.fixture
def operator(lab: Lab) -> Iterator[str]:
    """The kubeconfig of one who has the rights of docs/permissions.md, but for that to say why no pod starts.

    What is missing is told beforehand: tests/apiserver/test_rights_beforehand.py.
    """
    section, unasked = "certs renew kubelet-client", ["list events in namespace kube-system"]
    with permissions.holder(stage_of(lab), section, unasked) as path:
        yield str(path)


def test_both_are_rotated_and_a_kubeconfig_that_embeds_one_names_the_file_again(lab, operator):
    """As on nodes from before 1.17; the kubelet has it from its own file all the same."""
    before, conf = serials(lab), lab.exec(NODE, ["cat", CONF]).stdout
    lab.exec(NODE, ["sh", "-c", EMBED])
    names = ("kubelet-client", "kubelet-serving")
    words = ("certs", "renew", *names, "--node", NODE, "--yes", "-o", "json")
    ended = admin(lab, *words, timeout=300, KUBECONFIG=operator)
    assert ended.code == 0, ended.err
    (node,) = json.loads(ended.out)["items"]
    shown = [(one["name"], one["before"]["serial"], one["after"]["serial"]) for one in node["certificates"]]
    after = serials(lab)
    assert shown == list(zip(names, before, after, strict=True))
    assert not set(before) & set(after)
    assert lab.exec(NODE, ["cat", CONF]).stdout == conf
    assert "nothing is left" in admin(lab, "cleanup", NODE, "--dry-run").out

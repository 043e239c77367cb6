"""A running cluster, asked by the API and on its hosts, which answer what a test says."""

from contextlib import contextmanager
from hashlib import sha256
from types import SimpleNamespace

import pytest

from kubectl_admin.cluster.errors import NotFound
from kubectl_admin.control_plane.pod import PARTS
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.look.gather import of_cluster, unseal
from kubectl_admin.node.debug_pod import Options
from tests.fakes.clock import Clock
from tests.fakes.host import OPERATION
from tests.fakes.hosts import Opened
from tests.unit.etcd.members import test_gather as members
from tests.unit.etcd.members.samples import apiserver_command, node_object, static_pod
from tests.unit.etcd.restore.test_snapshot import of, pem
from tests.unit.etcd.stored.test_encryption import AT, KEY, OTHER, PLAIN, SECRET, gcm

CONFIGURATION = f"""\
kind: EncryptionConfiguration
apiVersion: apiserver.config.k8s.io/v1
resources:
- resources: [secrets]
  providers:
  - aesgcm:
      keys: [{{name: key1, secret: {SECRET}}}]
  - identity: {{}}
"""
FILE = "/etc/kubernetes/enc/config.yaml"


class Cluster(members.Cluster):
    """The API server, and hosts. files: by node and path; a host that is not there is shut."""

    clock = Clock()

    def __init__(self, *flags):
        super().__init__()
        mounts = [
            {"name": "k", "mountPath": "/etc/kubernetes"},
            {"name": "e", "mountPath": "/enc"},
        ]
        volumes = [
            {"name": "k", "hostPath": {"path": "/etc/kubernetes"}},
            {"name": "e", "hostPath": {"path": "/etc/kubernetes/enc"}},
        ]
        commands = {
            "kube-apiserver": [*apiserver_command(), *flags],
            "kube-controller-manager": [
                "kube-controller-manager",
                "--root-ca-file=/etc/kubernetes/pki/ca.crt",
            ],
            "kube-scheduler": ["kube-scheduler"],
        }
        self.pods = [pod for pod in self.pods if pod["metadata"]["labels"]["component"] == "etcd"]
        for node in members.NODES:
            for component, command in commands.items():
                pod = static_pod(component, node, command, volumeMounts=mounts)
                pod["spec"]["volumes"] = volumes
                self.pods.append(pod)
        ready = [{"type": "Ready", "status": "True"}]
        self.nodes = [node_object(node, conditions=ready) for node in members.NODES]
        files = {"/etc/kubernetes/pki/ca.crt": pem(b"ca"), FILE: CONFIGURATION}
        self.files = {node: dict(files) for node in members.NODES}
        self.objects = {
            "/api/v1/namespaces/kube-system": {"metadata": {"name": "kube-system", "uid": "u"}},
            "/version": {"gitVersion": "v1.36.3"},
            "/api/v1/namespaces/kube-system/configmaps/kubeadm-config": {
                "data": {"ClusterConfiguration": "kubernetesVersion: v1.36.2"}
            },
        }
        self.read = []

    def list(self, path, *_, **__):
        if "/pods" in path:
            return iter(pod for pod in self.pods if "debug" not in path)
        return iter(self.nodes)

    def get(self, path, **_):
        found = self.objects[path]
        if isinstance(found, AdminError):
            raise found
        return found

    @contextmanager
    def opened(self, node, _operation):
        if node not in self.files:
            raise AdminError(f"node {node}: no way in")
        yield SimpleNamespace(node=node, script=lambda _script, _limit, *paths: self.texts(node, paths))

    def texts(self, node, paths):
        self.read.append((node, paths))
        lines = []
        for path in paths:
            text = self.files[node].get(path)
            if text == "unread":
                lines.append(f"unread {path}\n")
            elif text is not None:
                lines.append(f"file {path}\n" + "".join(f" {line}\n" for line in text.splitlines()))
        return "".join(lines).encode()


def asked(cluster):
    hosts = Opened(cluster, OPERATION, Options("default"), lambda _said: None, cluster.opened)
    return of_cluster(cluster, hosts)


@pytest.fixture
def encrypted():
    return Cluster("--encryption-provider-config=/enc/config.yaml")


def test_a_sound_cluster():
    cluster = Cluster()
    live = asked(cluster)
    assert (live.cluster.text, live.server.text, live.kubernetes.text) == ("u", "v1.36.3", "v1.36.2")
    assert list(live.nodes) == list(members.NODES)
    assert live.etcd == {"3.6.8"}
    for node in live.nodes.values():
        assert node.ready
        assert {pod.component for pod in node.pods} == set(PARTS)
        assert (node.encryption.entries, node.encryption_why) == ((), "")
        assert node.authorities.fingerprints == {of(b"ca")}
    assert sorted(cluster.read) == [(node, ("/etc/kubernetes/pki/ca.crt",)) for node in members.NODES]
    assert sha256(b"ca").hexdigest() == of(b"ca")


def test_keys_of_encryption_are_read_where_the_host_has_them_and_never_shown(encrypted):
    live = asked(encrypted)
    assert encrypted.read[0][1] == (FILE, "/etc/kubernetes/pki/ca.crt")
    value = b"k8s:enc:aesgcm:v1:key1:" + gcm(KEY)
    assert unseal(live)("", "secrets", AT, value) == PLAIN
    assert unseal(live)("", "secrets", AT, b"k8s:enc:aesgcm:v1:key1:" + gcm(OTHER)) is None
    assert unseal(live)("", "configmaps", AT, value) is None
    assert SECRET not in repr(live)
    assert KEY.decode() not in repr(live)


def test_json_with_tabs_is_a_configuration_as_well(encrypted):
    text = '{\n\t"kind": "EncryptionConfiguration",\n\t"resources": []\n}\n'
    encrypted.files["cp-1"][FILE] = text
    assert asked(encrypted).nodes["cp-1"].encryption.entries == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, f"{FILE} is missing"),
        ("unread", f"{FILE} can not be read"),
        (f"a: [{SECRET}", f"{FILE} is not YAML"),
        (f"kind: {SECRET}", f"{FILE}: it is no EncryptionConfiguration"),
        ("", f"{FILE}: it is no EncryptionConfiguration"),
    ],
)
def test_a_configuration_that_can_not_be_read(encrypted, text, why):
    if text is None:
        del encrypted.files["cp-2"][FILE]
    else:
        encrypted.files["cp-2"][FILE] = text
    node = asked(encrypted).nodes["cp-2"]
    assert (node.encryption, node.encryption_why) == (None, f"node cp-2: {why}")
    assert SECRET not in node.encryption_why


def test_no_pod_is_made_where_etcd_takes_no_writes(encrypted):
    encrypted.alarms = [{"memberID": members.ID["cp-2"], "alarm": 1}]
    live = asked(encrypted)
    assert (live.is_full, encrypted.read) == (True, [])
    assert live.nodes["cp-1"].encryption is None
    encrypted.alarms = [{"memberID": members.ID["cp-2"], "alarm": 2}]
    assert not asked(encrypted).is_full
    assert len(encrypted.read) == 3


def test_a_host_that_is_shut(encrypted):
    del encrypted.files["cp-3"]
    live = asked(encrypted)
    assert (live.nodes["cp-3"].encryption, live.nodes["cp-3"].encryption_why) == (
        None,
        "node cp-3: no way in",
    )
    assert live.nodes["cp-3"].authorities.why == "node cp-3: no way in"
    assert live.nodes["cp-1"].encryption


def test_a_cluster_without_kubeadms_note():
    cluster = Cluster()
    path = "/api/v1/namespaces/kube-system/configmaps/kubeadm-config"
    cluster.objects[path] = NotFound(404, "NotFound", "not found")
    assert asked(cluster).kubernetes.why == "there is no ConfigMap kube-system/kubeadm-config"


def test_a_node_that_is_not_ready_and_an_authority_that_is_gone():
    cluster = Cluster()
    cluster.nodes[1] = node_object("cp-2")
    cluster.files["cp-2"] = {}
    node = asked(cluster).nodes["cp-2"]
    assert not node.ready
    assert node.authorities.why == (
        "node cp-2: /etc/kubernetes/pki/ca.crt has no certificate that can be read"
    )

"""A backup as a whole: what is in it, what it lacks, and that nothing half is ever there."""

import io
import json
import tarfile
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from kubectl_admin.backup import layout, report, run
from kubectl_admin.backup.facts import Kind
from kubectl_admin.backup.rules import FILE_NOT_SAVED, NODE_NOT_SAVED, NOT_RESTORABLE
from kubectl_admin.backup.run import Wanted
from kubectl_admin.backup.seal.packing import zstd
from kubectl_admin.cluster.errors import NotFound
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members.flags import Access
from kubectl_admin.etcd.save.choose_member import Source
from kubectl_admin.etcd.save.on_host import Download
from kubectl_admin.etcd.save.save import SavedSnapshot
from kubectl_admin.etcd.snapshot.verify import verify
from kubectl_admin.node.debug_pod import Options
from kubectl_admin.node.fetch import Fetched
from kubectl_admin.node.unpacking import Tool
from kubectl_admin.part_file import PartFile
from tests.fakes.clock import Clock
from tests.fakes.host import OPERATION
from tests.fakes.hosts import Opened
from tests.unit.backup.gather.test_node_files import Host
from tests.unit.etcd.snapshot.bolt_file import BoltFile

UID = "0b1f6c1e-4a7d-4b5e-9a53-0f4c2d9d0f11"
SOURCE = Source("cp-2", "f00", "/var/lib/etcd", (Access("https://127.0.0.1:2379"),))
SNAPSHOT = BoltFile().snapshot()
FILES = {"/etc/kubernetes/pki/ca.crt": b"ca", "/etc/kubernetes/audit.yaml": b"kind: Policy"}


def node(name, *, ready=True, control_plane=True):
    labels = {"node-role.kubernetes.io/control-plane": ""} if control_plane else {}
    condition = {"type": "Ready", "status": "True" if ready else "Unknown", "reason": "x", "message": "y"}
    info = {"kubeletVersion": "v1.36.3", "containerRuntimeVersion": "containerd://2.1.0"}
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", "labels": labels},
        "status": {"conditions": [condition], "nodeInfo": info},
    }


def apiserver(name):
    return {
        "metadata": {
            "name": f"kube-apiserver-{name}",
            "namespace": "kube-system",
            "labels": {"component": "kube-apiserver"},
            "annotations": {"kubernetes.io/config.mirror": "x"},
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": name, "uid": f"uid-{name}"}],
        },
        "spec": {
            "nodeName": name,
            "containers": [
                {
                    "name": "kube-apiserver",
                    "image": "registry.k8s.io/kube-apiserver:v1.36.3",
                    "command": ["kube-apiserver", "--audit-policy-file=/etc/kubernetes/audit.yaml"],
                    "volumeMounts": [{"name": "k", "mountPath": "/etc/kubernetes"}],
                }
            ],
            "volumes": [{"name": "k", "hostPath": {"path": "/etc/kubernetes"}}],
        },
    }


class Api:
    """An API server. nodes: its nodes. granted: whether the user may do everything."""

    server = "https://192.0.2.1:6443"
    target = SimpleNamespace(cluster_name="prod")

    def __init__(self, nodes):
        self.nodes, self.granted, self.namespace_uid = nodes, True, UID
        self.clock = Clock()

    def patiently(self, question):
        return question()

    def is_ready(self):
        return True

    def review(self, _path, body, **_):
        return {"status": {"allowed": self.granted}} if "spec" in body else {}

    def get(self, path, **_):
        if path == "/version":
            return {"gitVersion": "v1.36.3"}
        if path == "/api/v1/namespaces/kube-system":
            return {"metadata": {"name": "kube-system", "uid": self.namespace_uid}}
        if path.endswith("/configmaps/kube-proxy"):
            raise NotFound(404, "NotFound", "configmaps kube-proxy not found")
        return {"metadata": {"name": path.rpartition("/")[2], "managedFields": []}, "data": {"a": "b"}}

    def list(self, path, query=(), **_):
        if path == "/api/v1/nodes":
            label = "node-role.kubernetes.io/control-plane"
            return [one for one in self.nodes if not query or label in one["metadata"]["labels"]]
        if path == "/api/v1/namespaces/kube-system/pods" and query == [
            ("labelSelector", "tier=control-plane")
        ]:
            return [apiserver(one["metadata"]["name"]) for one in self.list("/api/v1/nodes", ["x"])]
        if path == "/api/v1/persistentvolumes":
            csi = {"driver": "csi.example", "volumeHandle": "h/1", "volumeAttributes": {"password": "hush"}}
            claim = {"namespace": "db", "name": "data-0"}
            return [{"metadata": {"name": "pv-1"}, "spec": {"csi": csi, "claimRef": claim}}]
        if "snapshot.storage" in path:
            raise NotFound(404, "NotFound", "no such kind")
        return []


def world(*nodes, files=FILES, broken=()):
    """The hosts of a cluster, which have the same files. broken: those that give no answer."""

    @contextmanager
    def opener(name, _operation):
        if name in broken:
            raise AdminError(f"node {name}: its debug pod does not start")
        host = Host(files)
        host.node = name
        yield host

    return Opened(Api(nodes), OPERATION, Options(), lambda _: None, opener)


@contextmanager
def watch(_title):
    yield lambda _done, _total: None


def save_snapshot(content=SNAPSHOT):
    def save(_hosts, _options, draft, *, watch, choose, also):
        source = choose(None, None)
        for part in (content[:5000], content[5000:]):
            draft.write(part)
            also(part)
        assert watch
        fetched = Fetched(len(content), 9, 0)
        download = Download("https://127.0.0.1:2379", "1f", "8e", Tool.GZIP, fetched, {"fetch": 1.0})
        return SavedSnapshot(None, source.node, download, verify(draft.content), 1.0)

    return save


def back_up(path, hosts, wanted=Wanted(), save=None):  # noqa: B008 - it is frozen
    with PartFile(path) as draft:
        looked = run.look(hosts, wanted, choose=lambda *_: SOURCE)
        made = run.back_up(hosts, wanted, looked, draft, watch=watch, save_snapshot=save or save_snapshot())
        draft.publish()
    return made


def opened(path):
    """The content of each piece; of those that are tars, of each file."""
    found = {}
    with tarfile.open(path) as tar:
        for member in tar.getmembers()[1:]:
            content = zstd.decompress(tar.extractfile(member).read())
            if ".tar." in member.name:
                with tarfile.open(fileobj=io.BytesIO(content)) as inner:
                    found[member.name] = {
                        each.name: inner.extractfile(each).read() for each in inner if each.isfile()
                    }
            else:
                found[member.name] = content
    return found


def test_everything_is_in_it_in_its_order(tmp_path):
    made = back_up(tmp_path / "a.tar", world(node("cp-1"), node("cp-2"), node("w1", control_plane=False)))
    found = opened(tmp_path / "a.tar")
    assert list(found) == ["files-cp-1.tar.zst", "files-cp-2.tar.zst", "objects.tar.zst", "etcd.db.zst"]
    assert found["etcd.db.zst"] == SNAPSHOT
    assert found["files-cp-1.tar.zst"] == {path[1:]: content for path, content in FILES.items()}
    objects = found["objects.tar.zst"]
    assert json.loads(objects["objects/persistentvolumes/pv-1.json"])["spec"]["csi"]["volumeHandle"] == "h/1"
    assert b"managedFields" not in objects["objects/configmaps/kube-system/kubeadm-config.json"]
    whole = (tmp_path / "a.tar").read_bytes()
    read = layout.archive("a.tar", len(whole), whole)
    assert read.is_verified
    manifest = read.manifest
    assert (manifest.uid, manifest.cluster, manifest.server) == (UID, "prod", "v1.36.3")
    assert manifest.nodes[0].versions["kube-apiserver"] == "1.36.3"
    assert [volume.handle for volume in manifest.volumes] == ["h/1"]
    assert manifest.database
    assert manifest.database.node == "cp-2"
    assert b"hush" not in whole[: whole.index(b"files-cp-1.tar.zst\0")]
    assert manifest.lost == ()
    shown = report.report(made, tmp_path / "a.tar", len(whole), 9.0)
    (document,) = shown.items()
    assert (document["size"], document["cluster"]) == (
        len(whole),
        {"name": "prod", "uid": UID, "server": "v1.36.3"},
    )
    assert "not encrypted" in shown.paragraphs[0]
    assert not shown.failed


def test_a_control_plane_that_is_down_or_does_not_answer_is_said(tmp_path):
    hosts = world(node("cp-1"), node("cp-2", ready=False), node("cp-3"), broken=["cp-3"])
    made = back_up(tmp_path / "a.tar", hosts)
    lacking = {one.subject: one.evidence for one in made.findings if one.rule == NODE_NOT_SAVED.id}
    assert lacking.keys() == {"node cp-2", "node cp-3"}
    assert "is not Ready" in lacking["node cp-2"]
    assert "does not start" in lacking["node cp-3"]
    assert [piece.node for piece in made.manifest.pieces if piece.kind is Kind.FILES] == ["cp-1"]
    assert [bool(one.why) for one in made.manifest.nodes] == [False, True, True]
    assert report.report(made, None, 1, 9.0).failed


def test_a_file_that_a_flag_names_and_is_not_there_is_said(tmp_path):
    made = back_up(tmp_path / "a.tar", world(node("cp-1"), files={"/etc/kubernetes/pki/ca.crt": b"ca"}))
    assert [one.subject for one in made.findings if one.rule == FILE_NOT_SAVED.id] == [
        "/etc/kubernetes/audit.yaml"
    ]


def test_what_can_not_be_kept_is_said_and_kept_in_the_manifest(tmp_path):
    socket = FILES | {"/etc/kubernetes/kms.sock": b"special 0 0 0 0 0 -\n/etc/kubernetes/kms.sock\0"}
    made = back_up(tmp_path / "a.tar", world(node("cp-1"), files=socket))
    assert "/etc/kubernetes/kms.sock" in [
        one.subject for one in made.findings if one.rule == NOT_RESTORABLE.id
    ]
    assert "/etc/kubernetes/kms.sock" in [lost.what for lost in made.manifest.lost]


@pytest.mark.parametrize(
    ("kinds", "pieces"),
    [
        ({Kind.ETCD}, ["etcd.db.zst"]),
        ({Kind.FILES, Kind.OBJECTS}, ["files-cp-1.tar.zst", "objects.tar.zst"]),
    ],
)
def test_a_part_of_it(tmp_path, kinds, pieces):
    back_up(tmp_path / "a.tar", world(node("cp-1")), Wanted(frozenset(kinds)))
    assert list(opened(tmp_path / "a.tar")) == pieces


def broken(*_, **__):
    raise AdminError("the snapshot that node cp-2 gave is damaged and was not kept")


@pytest.mark.parametrize(
    ("nodes", "save", "error"),
    [
        ([], None, "no node of the control plane is seen"),
        (
            [node("cp-1", ready=False)],
            None,
            "the files of no control plane can be read: node cp-1 is not Ready",
        ),
        ([node("cp-1")], broken, "is damaged"),
    ],
    ids=["no control plane", "none that is up", "a damaged snapshot"],
)
def test_where_there_is_no_backup_there_is_no_file(tmp_path, nodes, save, error):
    with pytest.raises(AdminError, match=error):
        back_up(tmp_path / "a.tar", world(*nodes), save=save)
    assert list(tmp_path.iterdir()) == []


def test_without_all_rights_nothing_is_begun(tmp_path):
    hosts = world(node("cp-1"))
    hosts.cluster.granted = False
    with pytest.raises(AdminError, match="may not") as refused:
        back_up(tmp_path / "a.tar", hosts)
    assert "list persistentvolumes" in refused.value.what
    assert list(tmp_path.iterdir()) == []


def test_a_cluster_without_a_uid_is_nobodys(tmp_path):
    hosts = world(node("cp-1"))
    hosts.cluster.namespace_uid = ""
    with pytest.raises(AdminError, match="has no UID"):
        back_up(tmp_path / "a.tar", hosts)


def test_a_text_of_any_length_is_read_again():
    assert len(run.text("x" * 5000)) == 1024
    assert run.text("a\udcff\n") == "a?\\n"

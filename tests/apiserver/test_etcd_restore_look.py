"""A snapshot of a real API server's etcd, read for a restore: its objects, its cluster, its encryption."""

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kubectl_admin.etcd.restore.look.authorities import fingerprints
from kubectl_admin.etcd.restore.look.snapshot import of_file
from kubectl_admin.etcd.snapshot.latest import Latest
from kubectl_admin.etcd.snapshot.verify import indexed, opened_database, quiet
from kubectl_admin.etcd.stored.decode import decoded
from kubectl_admin.etcd.stored.encryption import Encryption, Trial, configured, opened
from kubectl_admin.etcd.stored.kinds import by_place
from kubectl_admin.etcd.stored.objects import objects
from kubectl_admin.etcd.stored.tables import OF_KINDS
from tests.apiserver.conftest import NAME
from tests.apiserver.stored import configuration, provider, saved, serve
from tests.apiserver.test_etcd_diff import definition, listed, wide
from tests.lab.api import api_only
from tests.lab.nodes import lab
from tests.lab.progress import Progress
from tests.lab.versions import RELEASES
from tests.permissions import Stage

pytestmark = pytest.mark.lab

SEALED = "test-restore-look"  # a lab
SPACE = "etcd-restore-look"
Object = dict[str, Any]

TEMPLATE = {
    "metadata": {"labels": {"app": "a"}},
    "spec": {
        "initContainers": [{"name": "i", "image": "init:1"}],
        "containers": [{"name": "c", "image": "none:1"}],
        "volumes": [
            {"name": "d", "persistentVolumeClaim": {"claimName": "data", "readOnly": True}},
            {"name": "h", "hostPath": {"path": "/x"}},
        ],
    },
}
SELECTOR = {"matchLabels": {"app": "a"}}
VOLUME = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]}
AFFINITY = {
    "required": {
        "nodeSelectorTerms": [
            {
                "matchExpressions": [
                    {"key": "kubernetes.io/hostname", "operator": "In", "values": ["w1", "w2"]}
                ]
            }
        ]
    }
}
SOURCES: dict[str, Object] = {
    "csi": {
        "driver": "d.example.com",
        "volumeHandle": "h-1",
        "fsType": "ext4",
        "volumeAttributes": {"a": "b"},
        "nodeStageSecretRef": {"name": "s", "namespace": "n"},
    },
    "hostPath": {"path": "/data", "type": "Directory"},
    "nfs": {"server": "10.0.0.1", "path": "/", "readOnly": True},
    "iscsi": {"targetPortal": "10.0.0.1:3260", "iqn": "iqn.2001-04.com.example:storage", "lun": 0},
    "fc": {"targetWWNs": ["50060e801049cfd1"], "lun": 0},
}


def one(kind: str, name: str, version: str = "v1", **fields: Any) -> Object:
    """An object in the namespace of this test."""
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": SPACE}, **fields}


def webhook(kind: str) -> Object:
    hook = {
        "name": "a.example.com",
        "clientConfig": {"service": {"namespace": SPACE, "name": "s", "path": "/p"}, "caBundle": ""},
        "rules": [
            {"operations": ["CREATE"], "apiGroups": ["x.io"], "apiVersions": ["*"], "resources": ["none"]}
        ],
        "failurePolicy": "Ignore",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "objectSelector": {"matchExpressions": [{"key": "a", "operator": "Exists"}]},
        "matchConditions": [{"name": "m", "expression": "true"}],
    }
    return wide(kind, SPACE, "admissionregistration.k8s.io/v1", webhooks=[hook])


def everything() -> list[Object]:
    """An object of each kind that is decoded, with the fields that matter."""
    node_spec = {
        "podCIDR": "10.99.1.0/24",
        "podCIDRs": ["10.99.1.0/24"],
        "providerID": "x://1",
        "unschedulable": True,
        "taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}],
    }
    endpoint = {"addresses": ["10.0.0.1"], "conditions": {"ready": False}, "nodeName": "w1"}
    lease = {"holderIdentity": "h", "leaseDurationSeconds": 15, "renewTime": "2026-11-30T09:43:36.123456Z"}
    workload = {"selector": SELECTOR, "template": TEMPLATE}
    job = {"template": {"spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}}
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "volumeName": f"{SPACE}-csi",
        "storageClassName": "",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    volumes = [
        wide(
            "PersistentVolume",
            f"{SPACE}-{name.lower()}",
            spec={**VOLUME, name: source, "claimRef": {"namespace": SPACE, "name": "data"}},
        )
        for name, source in SOURCES.items()
    ]
    local = {**VOLUME, "local": {"path": "/mnt/x"}, "nodeAffinity": AFFINITY, "storageClassName": "local"}
    attachment = {"attacher": "d", "nodeName": "w1", "source": {"persistentVolumeName": f"{SPACE}-csi"}}
    return [
        one("ConfigMap", "c", data={"a": "é", "empty": ""}, binaryData={"b": "AP8="}, immutable=True),
        one("Secret", "s", data={"a": "AP8="}, type="example.com/x"),
        one("Service", "s", spec={"ports": [{"port": 80, "name": "p"}], "selector": {"a": "b"}}),
        one("EndpointSlice", "e", "discovery.k8s.io/v1", addressType="IPv4", endpoints=[endpoint], ports=[]),
        one("Lease", "l", "coordination.k8s.io/v1", spec=lease),
        one("PersistentVolumeClaim", "data", spec=claim),
        one("Deployment", "d", "apps/v1", spec={**workload, "replicas": 0, "paused": True}),
        one("StatefulSet", "d", "apps/v1", spec={**workload, "serviceName": "s"}),
        one("DaemonSet", "d", "apps/v1", spec=workload),
        one("ReplicaSet", "d", "apps/v1", spec=workload),
        one("Job", "j", "batch/v1", spec={**job, "suspend": True}),
        one("CronJob", "c", "batch/v1", spec={"schedule": "0 0 * * *", "jobTemplate": {"spec": job}}),
        wide("Node", SPACE, spec=node_spec),
        *volumes,
        wide("PersistentVolume", f"{SPACE}-local", spec=local),
        wide("VolumeAttachment", SPACE, "storage.k8s.io/v1", spec=attachment),
        webhook("ValidatingWebhookConfiguration"),
        webhook("MutatingWebhookConfiguration"),
    ]


@pytest.fixture
def space(stage: Stage) -> Iterator[None]:
    """The namespace, with an object of each kind; all is gone afterwards."""
    thing = definition("Thing", "things", "Namespaced")
    thing["spec"]["group"] = "restore.example.com"
    thing["metadata"]["name"] = "things.restore.example.com"
    stage.kubectl("create", "namespace", SPACE)
    try:
        stage.kubectl("create", "-f", "-", given=listed([*everything(), thing]))
        stage.kubectl(
            "wait", "--for=condition=Established", "--timeout=60s", "crd/things.restore.example.com"
        )
        custom = one("Thing", "t", "restore.example.com/v1", spec={"deep": [{"a": 1.5, "b": None}]})
        stage.kubectl("create", "-f", "-", given=custom)
        yield
    finally:
        stage.kubectl(
            "delete", "-f", "-", "--ignore-not-found", "--wait=false", given=listed([*everything(), thing])
        )
        stage.kubectl("delete", "--wait=false", "namespace", SPACE)


@contextmanager
def read(file: Path) -> Iterator[Latest]:
    with opened_database(file) as database:
        latest = indexed(database, quiet)
        assert isinstance(latest, Latest)
        yield latest


def differences(stored: Any, live: Any, where: str = "") -> Iterator[str]:
    """Where a decoded object says something that the API does not; what it leaves out is nothing."""
    match stored, live:
        case dict(), dict():
            for name, value in stored.items():
                if name not in live:
                    yield f"{where}.{name}: only stored"
                else:
                    yield from differences(value, live[name], f"{where}.{name}")
        case list(), list() if len(stored) == len(live):
            for at, pair in enumerate(zip(stored, live, strict=True)):
                yield from differences(*pair, f"{where}[{at}]")
        case _ if stored != live:
            yield f"{where}: stored {stored!r}, and the API has {live!r}"


@pytest.mark.usefixtures("space")
def test_stored_objects_are_those_of_the_api(stage: Stage, tmp_path: Path) -> None:
    """Of every kind that is decoded, every field of every object of a real API server."""
    file = saved(NAME, tmp_path / "a.db")
    kinds = {kind for _, kind in OF_KINDS}
    places = {
        place: kind for place, kind in by_place().items() if kind.name in kinds | {"CustomResourceDefinition"}
    }
    compared: set[str] = set()
    odd: list[str] = []
    with read(file) as latest:
        stored = list(objects(latest, "/registry", *places, "restore.example.com/things"))
    revision = of_file(file).revision
    assert revision is not None
    live: dict[tuple[str, str, str], Object] = {}
    wanted = [".".join(filter(None, (kind.resource, kind.group))) for kind in places.values()]
    for resource in [*wanted, "things.restore.example.com"]:
        answer = json.loads(
            stage.kubectl("get", resource, "--all-namespaces", "--output=json", "--show-managed-fields")
        )
        for item in answer["items"]:
            metadata = item["metadata"]
            live[item["kind"], metadata.get("namespace", ""), metadata["name"]] = item
    for each in stored:
        assert not each.problem, each
        assert each.content is not None
        known = live.get((each.content["kind"], each.namespace, each.name))
        if known and int(known["metadata"]["resourceVersion"]) <= revision:
            compared.add(each.content["kind"])
            # A definition is stored as v1beta1, which is JSON like any custom resource.
            is_definition = each.content["kind"] == "CustomResourceDefinition"
            part = {"metadata": each.content["metadata"]} if is_definition else each.content
            odd += differences(part, known, each.key)
    assert not odd, "\n".join(odd)
    assert compared == kinds | {"CustomResourceDefinition", "Thing"}
    ours = {each.key: each.content for each in stored if SPACE in each.key and each.content}
    for thing in everything():  # nothing of what was asked for is missing
        (found,) = [
            content
            for key, content in ours.items()
            if content["kind"] == thing["kind"] and key.endswith(f"/{thing['metadata']['name']}")
        ]
        left_out = {"resources", "restartPolicy"}  # nothing of a restore depends on them
        assert list(differences(without(thing, left_out), found)) == []


def without(thing: Any, names: set[str]) -> Any:
    """The same without these fields, and without what JSON leaves out because it is empty."""
    match thing:
        case dict():
            return {
                name: without(value, names)
                for name, value in thing.items()
                if name not in names and value not in ([], {}) and not (name == "caBundle" and not value)
            }
        case list():
            return [without(value, names) for value in thing]
    return thing


@pytest.fixture
def sealed() -> Iterator[Stage]:
    """A lab of its own, whose Secrets can be encrypted."""
    api_only.down(SEALED)
    progress = Progress(f"lab {SEALED}", lab.folder_of(SEALED) / "logs")
    admin = api_only.up(SEALED, RELEASES[0].kubernetes, 1, progress.say)
    yield Stage(admin, [], RELEASES[0].kubernetes, lambda who: api_only.user(SEALED, who))
    api_only.down(SEALED)


def secret(name: str) -> Object:
    return {**wide("Secret", name, data={"name": b64encode(name.encode()).decode()}), "type": "Opaque"}


CBC, GCM, BOX = (
    provider("aescbc", "key1", b"1" * 32),
    provider("aesgcm", "key2", b"2" * 16),
    provider("secretbox", "key3", b"3" * 32),
)
CLEAR: Object = {"identity": {}}


def test_what_a_real_api_server_has_encrypted_is_decrypted(
    sealed: Stage, stage: Stage, tmp_path: Path
) -> None:
    sealed.kubectl("create", "-f", "-", given=secret("clear"))
    serve(SEALED, configuration(CBC, CLEAR))
    sealed.kubectl("create", "-f", "-", given=listed([secret("cbc"), secret("cbc-2"), secret("cbc-3")]))
    serve(SEALED, configuration(GCM, CBC, CLEAR))
    sealed.kubectl("create", "-f", "-", given=secret("gcm"))
    serve(SEALED, configuration(BOX, GCM, CBC, CLEAR))
    sealed.kubectl("create", "-f", "-", given=secret("box"))
    authority = (api_only.folder_of(SEALED) / "pki/ca.crt").read_text(encoding="utf-8")
    encoded = b64encode(authority.encode()).decode()
    kubeconfig = {"clusters": [{"name": "", "cluster": {"certificate-authority-data": encoded}}]}
    noted = wide("ConfigMap", "cluster-info", data={"kubeconfig": json.dumps(kubeconfig)})
    noted["metadata"]["namespace"] = "kube-public"
    sealed.kubectl("apply", "-f", "-", given=noted)
    note = wide("ConfigMap", "kubeadm-config", data={"ClusterConfiguration": "kubernetesVersion: v1.36.3"})
    note["metadata"]["namespace"] = "kube-system"
    sealed.kubectl("apply", "-f", "-", given=note)

    found = of_file(saved(SEALED, tmp_path / "sealed.db"))
    uids = [
        one.kubectl("get", "namespace", "kube-system", "--output=jsonpath={.metadata.uid}")
        for one in (sealed, stage)
    ]
    assert found.cluster.text == uids[0] != uids[1]  # and of no other cluster
    assert found.authorities.fingerprints == fingerprints(authority) != set()
    assert found.kubernetes.text == "v1.36.3"

    secrets = {each.encrypted: each for each in found.sealed if each.resource == "secrets"}
    ways = {
        f"k8s:enc:{kind}:v1:{name}:"
        for kind, name in (("aescbc", "key1"), ("aesgcm", "key2"), ("secretbox", "key3"))
    }
    assert set(secrets) == {"", *ways}
    assert secrets["k8s:enc:aescbc:v1:key1:"].count == 3
    values = {
        value.key.decode().rpartition("/")[2]: value for each in secrets.values() for value in each.values
    }
    assert set(values) == {"clear", "cbc", "cbc-3", "gcm", "box"}

    def tried(encryption: Encryption, name: str) -> Trial:
        value = values[name]
        outcome = opened(encryption.providers("", "secrets"), value.key, value.data)
        if outcome.trial is Trial.OPENED and outcome.plain and name != "clear":
            plain = decoded(outcome.plain)
            assert plain["data"] == {"name": b64encode(name.encode()).decode()}
        return outcome.trial

    def outcomes(*providers: Object) -> set[str]:
        """The Secrets that can be read."""
        encryption = configured(configuration(*providers))
        return {name for name in values if tried(encryption, name) is Trial.OPENED}

    assert outcomes(BOX, GCM, CBC, CLEAR) == set(values)
    assert outcomes(CBC) == {"cbc", "cbc-3"}
    assert outcomes(GCM) == {"gcm"}
    assert outcomes(BOX) == {"box"}
    assert outcomes(CLEAR) == {"clear"}
    # A key of that name that is another one: rotated, or of another cluster.
    others = [
        provider(kind, f"key{number}", b"9" * 32)
        for number, kind in enumerate(("aescbc", "aesgcm", "secretbox"), 1)
    ]
    assert outcomes(*others) == set()

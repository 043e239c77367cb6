"""CloudNativePG on a lab: its operator built from its Go module, PostgreSQL from Debian, a volume each."""

import json
import os
import stat
from pathlib import Path
from typing import Any

from tests.lab import cache
from tests.lab.nodes import node
from tests.lab.nodes.lab import Lab
from tests.lab.progress import Progress
from tests.lab.recipes import binaries, images, rootfs
from tests.lab.recipes.images import Image
from tests.lab.versions import CLOUDNATIVE_PG, DEBIAN

NAMESPACE = "databases"
CLUSTER = "db"
INSTANCES = 3
MODULE = f"github.com/cloudnative-pg/cloudnative-pg@v{CLOUDNATIVE_PG}"
OPERATOR = f"ghcr.io/cloudnative-pg/cloudnative-pg:{CLOUDNATIVE_PG}"
MAJOR = "15"  # of PostgreSQL in that Debian; the operator reads it from the image's tag
POSTGRES = f"localhost/lab/postgresql:{MAJOR}"
USER = "26"  # as whom the operator runs PostgreSQL
DATA = "/var/lib/lab-postgresql"
CLASS = "lab-local"
WRITER = "writer"
# One row after another, each in a session of its own; what the server has acknowledged is said, line by line.
WRITING = """
until psql --quiet --command='CREATE TABLE IF NOT EXISTS written (n bigint PRIMARY KEY)'; do sleep 1; done
n=0
while [ ! -e /tmp/stop ]; do
    n=$((n + 1))
    if timeout 10 psql --quiet --command="INSERT INTO written VALUES ($n)"; then
        echo "acknowledged $n"
    else
        echo "failed $n"
        sleep 0.2
    fi
    sleep 0.05
done
echo stopped
sleep infinity
"""

Object = dict[str, Any]


def install(lab: Lab, progress: Progress) -> None:
    """The images on all nodes, the operator, and a volume on each worker."""
    archive = images_of(progress)
    for each in lab.nodes:
        if not node.has_image(each, POSTGRES):
            with progress.step(f"{each.name}: import the images of CloudNativePG", f"{each.name}-cnpg"):
                node.import_images(each, archive)
    manifest = lab.folder / "cloudnative-pg.yaml"
    manifest.write_text(operator(), encoding="utf-8")
    lab.kubectl("apply", "--server-side", "--force-conflicts", f"--filename={manifest}", timeout=180)
    for each in lab.workers:
        lab.exec(each.name, ["install", "-d", "-o", USER, "-g", USER, "-m", "0700", DATA])
    apply(
        lab,
        "volumes",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        *volumes(lab),
    )
    deployment = "deployment/cnpg-controller-manager"
    lab.kubectl("rollout", "status", deployment, "--namespace=cnpg-system", "--timeout=240s", timeout=250)


def images_of(progress: Progress) -> Path:
    """A docker-archive with the operator and PostgreSQL."""
    manager = binaries.cloudnative_pg(progress) / "manager"
    root = postgres_root(progress)
    recipe = cache.fingerprint(Path(images.__file__), str(manager), str(root))

    def make(folder: Path) -> None:
        with progress.step("make the images of CloudNativePG", "images-cloudnative-pg"):
            images.write_archive([operator_image(manager), whole_root(POSTGRES, root)], folder / "images.tar")

    path = cache.root() / "images" / f"cloudnative-pg-{CLOUDNATIVE_PG}-{recipe}"
    return cache.once(path, make) / "images.tar"


def postgres_root(progress: Progress) -> Path:
    """A Debian with PostgreSQL, whose user has the number that the operator expects."""
    commands = [
        f"usermod -u {USER} postgres",
        f"rm -rf /var/lib/postgresql/{MAJOR} /etc/postgresql/{MAJOR} /var/lib/apt/lists/*",
    ]
    return rootfs.bootstrapped(f"postgresql-{DEBIAN}", [f"postgresql-{MAJOR}"], progress, commands)


def operator_image(manager: Path) -> Image:
    """The operator, where it looks for itself, and where it is copied from into PostgreSQL's pods."""
    inside = "operator/manager_amd64"
    return Image(OPERATOR, {inside: manager}, {"manager": inside}, entrypoint=["/manager"], folders=["tmp"])


def whole_root(name: str, root: Path) -> Image:
    """A whole root file system as an image, PostgreSQL's programs on its PATH."""
    files: dict[str, Path] = {}
    links: dict[str, str] = {}
    folders: list[str] = []
    for parent, inner, names in os.walk(root):
        for path in (Path(parent, each) for each in (*inner, *names)):
            inside, kind = str(path.relative_to(root)), path.lstat().st_mode
            if stat.S_ISLNK(kind):
                links[inside] = str(path.readlink())
            elif stat.S_ISDIR(kind):
                folders.append(inside)
            elif stat.S_ISREG(kind):
                files[inside] = path
    programs = f"/usr/lib/postgresql/{MAJOR}/bin:/usr/local/bin:/usr/bin:/usr/sbin"
    return Image(name, files, links, path=programs, folders=folders)


def operator() -> str:
    """The release's own manifest, with the image that is there and more patience for a small machine."""
    manifest = binaries.go_module(MODULE) / f"releases/cnpg-{CLOUDNATIVE_PG}.yaml"
    text = manifest.read_text(encoding="utf-8")
    limits = "limits:\n            cpu: {}\n            memory: 200Mi"
    for theirs, ours in {
        "imagePullPolicy: Always": "imagePullPolicy: IfNotPresent",
        "failureThreshold: 6": "failureThreshold: 60",
        limits.format("100m"): limits.format('"1"'),
    }.items():
        assert text.count(theirs) == 1, f"the manifest of {MODULE} is not as it was: {theirs}"
        text = text.replace(theirs, ours)
    return text


def volumes(lab: Lab) -> list[Object]:
    """A storage class without a provisioner, and a volume on each worker."""
    storage = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": CLASS},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    return [storage, *(volume(each.name) for each in lab.workers)]


def volume(worker: str) -> Object:
    """A folder of a worker, which only pods there can use."""
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [worker]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"postgresql-{worker}"},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": CLASS,
            "hostPath": {"path": DATA},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    }


def cluster() -> Object:
    """A primary and two replicas, each on a worker of its own."""
    return {
        "apiVersion": "postgresql.cnpg.io/v1",
        "kind": "Cluster",
        "metadata": {"name": CLUSTER, "namespace": NAMESPACE},
        "spec": {
            "instances": INSTANCES,
            "imageName": POSTGRES,
            "imagePullPolicy": "IfNotPresent",
            "bootstrap": {"initdb": {"database": "app", "owner": "app"}},
            "storage": {"storageClass": CLASS, "size": "1Gi"},
            "affinity": {"podAntiAffinityType": "required", "topologyKey": "kubernetes.io/hostname"},
        },
    }


def writer(on: str) -> Object:
    """A client that writes without a pause, on a node that is not drained."""
    secret = {"secretKeyRef": {"name": f"{CLUSTER}-app", "key": "password"}}
    values = {"PGHOST": f"{CLUSTER}-rw", "PGUSER": "app", "PGDATABASE": "app", "PGCONNECT_TIMEOUT": "5"}
    env = [{"name": name, "value": value} for name, value in values.items()]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": WRITER, "namespace": NAMESPACE},
        "spec": {
            "nodeName": on,
            "terminationGracePeriodSeconds": 1,
            "containers": [
                {
                    "name": "psql",
                    "image": POSTGRES,
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["sh", "-c", WRITING],
                    "env": [*env, {"name": "PGPASSWORD", "valueFrom": secret}],
                }
            ],
        },
    }


def apply(lab: Lab, name: str, *objects: Object) -> None:
    """Applies objects; `name` is what their file is called."""
    file = lab.folder / f"{name}.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}), encoding="utf-8")
    lab.kubectl("apply", f"--filename={file}")

"""`kubectl admin etcd-undelete` on a real cluster: a deleted namespace comes back out of a snapshot."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.labs import admin, environ_of
from tests.lab.nodes.lab import Lab
from tests.program import start

pytestmark = pytest.mark.lab

SPACE, DATA = "undelete", "/var/lib/undelete-test"
WAIT = "--timeout=120s"
WAIT_TIMEOUT = 130  # seconds
# Kinds that persons write. Of each, everything but ids, times and status must be back.
KINDS = (
    *("configmaps", "secrets", "serviceaccounts", "services", "persistentvolumeclaims", "deployments.apps"),
    *("statefulsets.apps", "cronjobs.batch", "roles.rbac.authorization.k8s.io", "widgets.example.com"),
    *("rolebindings.rbac.authorization.k8s.io", "poddisruptionbudgets.policy", "resourcequotas"),
)
OBJECTS = f"""
apiVersion: v1
kind: Namespace
metadata: {{name: {SPACE}, labels: {{team: blue}}}}
---
apiVersion: v1
kind: PersistentVolume
metadata: {{name: {SPACE}}}
spec:
  capacity: {{storage: 1Mi}}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  storageClassName: ""
  hostPath: {{path: {DATA}, type: DirectoryOrCreate}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: widgets.example.com}}
spec:
  group: example.com
  scope: Namespaced
  names: {{plural: widgets, singular: widget, kind: Widget}}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}
"""
INSIDE = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, annotations: {written: "by hand"}}
data: {answer: "42"}
---
apiVersion: v1
kind: Secret
metadata: {name: password}
stringData: {word: "open sesame"}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: runner}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: runner}]
---
apiVersion: v1
kind: Service
metadata: {name: inside}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: outside}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 32123}]}
---
apiVersion: v1
kind: Service
metadata: {name: store}
spec: {clusterIP: None, selector: {app: store}, ports: [{port: 80}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data-store-0}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: ""
  volumeName: undelete
  resources: {requests: {storage: 1Mi}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: runner
      terminationGracePeriodSeconds: 0
      containers:
      - name: web
        image: localhost/lab/busybox:1
        command: [sleep, infinity]
        envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: password}}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store}
spec:
  serviceName: store
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec:
      nodeSelector: {kubernetes.io/hostname: worker-1}
      terminationGracePeriodSeconds: 0
      containers:
      - name: store
        image: localhost/lab/busybox:1
        command: [sleep, infinity]
        volumeMounts: [{name: data, mountPath: /data}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec:
      accessModes: [ReadWriteOnce]
      storageClassName: ""
      resources: {requests: {storage: 1Mi}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: a, image: "localhost/lab/busybox:1", command: ["true"]}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: few}
spec: {hard: {pods: "20"}}
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: owner}
spec: {size: 3}
"""


def get(lab: Lab, *words: str) -> Any:
    """What kubectl gets, as JSON."""
    return json.loads(lab.kubectl("-n", SPACE, "get", *words, "-o", "json"))


def as_written(lab: Lab) -> dict[str, Any]:
    """Everything of the namespace that a person has written, by kind and name."""
    kept = {}
    for each in get(lab, ",".join(KINDS))["items"]:
        meta = each["metadata"]
        for field in ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"):
            meta.pop(field, None)
        for owner in meta.get("ownerReferences", ()):
            owner.pop("uid")
        each.pop("status", None)
        kept[f"{each['kind']}/{meta['name']}"] = each
    return kept


def run_all(lab: Lab) -> None:
    """Returns when the workloads run."""
    for what in ("deployment/web", "statefulset/store"):
        lab.kubectl("-n", SPACE, "rollout", "status", what, WAIT, timeout=WAIT_TIMEOUT)


def create(lab: Lab, text: str, folder: Path, *words: str) -> None:
    """Has kubectl make what a manifest says."""
    file = folder / "objects.yaml"
    file.write_text(text, encoding="utf-8")
    lab.kubectl(*words, "create", "-f", str(file), timeout=WAIT_TIMEOUT)


@pytest.fixture
def shop(lab: Lab, tmp_path: Path) -> Iterator[Path]:
    """A snapshot with a namespace in which workloads run and keep data."""
    try:
        create(lab, OBJECTS, tmp_path)
        lab.kubectl(
            "wait", "--for=condition=Established", "crd/widgets.example.com", WAIT, timeout=WAIT_TIMEOUT
        )
        create(lab, INSIDE, tmp_path, "-n", SPACE)
        owner = get(lab, "widget/owner")["metadata"]["uid"]
        reference = {"apiVersion": "example.com/v1", "kind": "Widget", "name": "owner", "uid": owner}
        owned = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "owned", "ownerReferences": [reference]},
        }
        create(lab, json.dumps(owned), tmp_path, "-n", SPACE)
        run_all(lab)
        lab.kubectl("-n", SPACE, "exec", "store-0", "--", "sh", "-c", "echo precious > /data/kept")
        file = tmp_path / "snapshot.db"
        saved = admin(lab, "etcd-snapshot", "-o", str(file))
        assert saved.code == 0, saved
        yield file
    finally:
        lab.kubectl("delete", "namespace", SPACE, "--ignore-not-found", timeout=WAIT_TIMEOUT)
        lab.kubectl(
            "delete", "pv,crd", SPACE, "widgets.example.com", "--ignore-not-found", timeout=WAIT_TIMEOUT
        )
        lab.exec("worker-1", ["rm", "-rf", DATA])


def test_a_namespace_is_deleted_and_comes_back(lab: Lab, shop: Path) -> None:
    """The program is killed on the way; the same command goes on. Afterwards it is as it was."""
    before = as_written(lab)
    lab.kubectl("delete", "namespace", SPACE, timeout=WAIT_TIMEOUT)
    lab.kubectl("delete", "crd", "widgets.example.com", timeout=WAIT_TIMEOUT)
    lab.kubectl("wait", "pv/undelete", "--for=jsonpath={.status.phase}=Released", WAIT, timeout=WAIT_TIMEOUT)
    words = ("etcd-undelete", str(shop), "-n", SPACE)

    shown = admin(lab, *words, "--dry-run", "-o", "json")
    assert shown.code in {0, 3}, shown
    assert lab.kubectl("get", "namespace", SPACE, "--ignore-not-found") == ""
    with start(*words, "--yes", env=environ_of(lab)) as process:
        assert process.stderr
        for line in process.stderr:
            if "configmap" in line.lower():
                break
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=WAIT_TIMEOUT)
    admin(lab, "cleanup", "--yes")

    back = admin(lab, *words, "--yes", timeout=400)
    assert back.code == 0, back
    run_all(lab)
    assert as_written(lab) == before
    assert get(lab, "namespace", SPACE)["metadata"]["labels"]["team"] == "blue"
    assert lab.kubectl("-n", SPACE, "exec", "store-0", "--", "cat", "/data/kept").strip() == "precious"
    owner = get(lab, "widget/owner")["metadata"]["uid"]
    assert get(lab, "configmap/owned")["metadata"]["ownerReferences"][0]["uid"] == owner

    again = admin(lab, *words, "--yes", timeout=400)
    assert again.code == 0, again

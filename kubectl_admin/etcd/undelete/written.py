"""An object as a person would have written it: without all that servers and controllers have put in. Pure.

Sources: apimachinery pkg/apis/meta/v1 types.go (fields that the system sets) and kubernetes/kubernetes,
release 1.36, as each function below names it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from kubectl_admin.cluster.decode import mapping
from kubectl_admin.etcd.undelete.facts import Json
from kubectl_admin.etcd.undelete.kinds import TOKEN

SYSTEM = (
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink",
    "managedFields",
)
# The two that a deletion puts in: apimachinery meta/v1 types.go, FinalizerOrphanDependents.
OF_DELETION = ("orphan", "foregroundDeletion")
# Annotations that controllers keep up by themselves.
ANNOTATIONS = {
    "deployment.kubernetes.io/revision",  # pkg/controller/deployment/util
    "deprecated.daemonset.template.generation",
    # Of a claim, with which a controller would take it for bound, and then for one that has lost its volume:
    # component-helpers storage/volume, pkg/controller/volume/persistentvolume/pv_controller.go.
    "pv.kubernetes.io/bind-completed",
    "pv.kubernetes.io/bound-by-controller",
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/selected-node",
    # Of a token, whose account is another one now: pkg/controller/serviceaccount/tokens_controller.go.
    "kubernetes.io/service-account.uid",
}
# Labels by which a Job finds its pods, with its UID: pkg/registry/batch/job/strategy.go, generateSelector.
UID_OF_JOB = ("controller-uid", "batch.kubernetes.io/controller-uid")
NAME_OF_JOB = ("job-name", "batch.kubernetes.io/job-name")
API_ACCESS = "kube-api-access-"  # plugin/pkg/admission/serviceaccount
OF_TOKEN = ("token", "ca.crt", "namespace")


def as_written(item: Mapping[str, Any]) -> Json:
    """The object without UID, versions, times, status and what else its cluster has put in.

    item: with its apiVersion and kind. Its ownerReferences are kept as they are. What is returned shares its
    deeper parts with it, but not its metadata, labels and annotations.
    """
    metadata = {field: value for field, value in mapping(item.get("metadata")).items() if field not in SYSTEM}
    _drop_texts(metadata, "annotations", ANNOTATIONS)
    _drop_texts(metadata, "labels", ())
    _keep_items(metadata, "finalizers", lambda one: one not in OF_DELETION)
    made = {field: item[field] for field in ("apiVersion", "kind") if field in item}
    made["metadata"] = metadata
    made |= {field: value for field, value in item.items() if field not in made}
    group = str(item.get("apiVersion") or "").rpartition("/")[0]
    if change := OF_KIND.get((group, str(item.get("kind")))):
        change(made)
    made.pop("status", None)
    return made


def _drop_texts(holder: Json, field: str, dropped: Collection[str]) -> None:
    """Copies an object of texts without some of its entries; one of nothing goes."""
    kept = {name: value for name, value in mapping(holder.get(field)).items() if name not in dropped}
    if kept:
        holder[field] = kept
    else:
        holder.pop(field, None)


def _keep_items(holder: Json, field: str, is_kept: Callable[[Any], bool]) -> None:
    """Copies a list with some of its elements; one of nothing goes."""
    found = holder.get(field)
    kept = [one for one in found if is_kept(one)] if isinstance(found, list) else []
    if kept:
        holder[field] = kept
    else:
        holder.pop(field, None)


def _open(holder: Json, *path: str) -> Json:
    """The object below a path, copied on the way to it, so that it can be changed; {} where there is none."""
    for field in path:
        if not isinstance(holder.get(field), dict):
            return {}
        holder[field] = dict(holder[field])
        holder = holder[field]
    return holder


def _drop(holder: Json, fields: Iterable[str]) -> None:
    for field in fields:
        holder.pop(field, None)


def _template(spec: Json, *path: str) -> None:
    """Removes the empty time of a template, which some releases write and others do not."""
    metadata = _open(spec, *path, "metadata")
    if metadata.get("creationTimestamp", "") is None:
        del metadata["creationTimestamp"]


def _workload(made: Json) -> None:
    spec = _open(made, "spec")
    _template(spec, "template")
    _claims(spec)


def _claims(spec: Json) -> None:
    """The templates of a StatefulSet's claims, which some releases give a status that is nobody's."""
    templates = spec.get("volumeClaimTemplates")
    if not isinstance(templates, list):
        return
    spec["volumeClaimTemplates"] = [dict(one) if isinstance(one, dict) else one for one in templates]
    for one in spec["volumeClaimTemplates"]:
        if isinstance(one, dict):
            one.pop("status", None)
            _template(one)


def _cron_job(made: Json) -> None:
    spec = _open(made, "spec")
    _template(spec, "jobTemplate")
    _template(spec, "jobTemplate", "spec", "template")


def _job(made: Json) -> None:
    """The API server selects the pods of a Job by its UID, unless a person selects them."""
    spec = _open(made, "spec")
    _template(spec, "template")
    if spec.get("manualSelector") is True:
        return
    spec.pop("selector", None)
    name = made["metadata"].get("name")
    for holder in (_open(spec, "template", "metadata"), made["metadata"]):
        # A Job without labels of its own is shown with those of its pods (apis/batch/v1 defaults.go).
        if any(label in mapping(holder.get("labels")) for label in UID_OF_JOB):
            named = {label for label in NAME_OF_JOB if holder["labels"].get(label) == name}
            _drop_texts(holder, "labels", {*UID_OF_JOB, *named})


def _pod(made: Json) -> None:
    """A pod is scheduled anew. Source: plugin/pkg/admission (priority, serviceaccount, runtimeclass), and
    pkg/apis/core/validation, ValidatePodCreate.
    """
    spec = _open(made, "spec")
    _drop(spec, ("nodeName", "ephemeralContainers", "priority", "preemptionPolicy"))
    if spec.get("runtimeClassName"):
        spec.pop("overhead", None)
    _keep_items(spec, "volumes", lambda one: not _is_access(one))
    for field in ("initContainers", "containers"):
        found = spec.get(field)
        if isinstance(found, list):
            spec[field] = [dict(one) if isinstance(one, dict) else one for one in found]
            for one in spec[field]:
                if isinstance(one, dict):
                    _keep_items(one, "volumeMounts", lambda mount: not _is_access(mount))


def _is_access(one: Any) -> bool:
    return str(mapping(one).get("name")).startswith(API_ACCESS)


def _volume(made: Json) -> None:
    """A volume stays reserved for its claim, whatever UID that has now. One that is Released keeps the UID of
    a claim that is gone: it would hand its data to the next claim of that name. Source: pv_controller.go.
    """
    if mapping(made.get("status")).get("phase") != "Released":
        _drop(_open(made, "spec", "claimRef"), ("uid", "resourceVersion"))


def _namespace(made: Json) -> None:
    """Source: pkg/registry/core/namespace/strategy.go, PrepareForCreate."""
    spec = _open(made, "spec")
    _keep_items(spec, "finalizers", lambda one: one != "kubernetes")
    if not spec:
        made.pop("spec", None)


def _secret(made: Json) -> None:
    """A token is filled in by the controller of tokens, for the account that is there now."""
    if made.get("type") == TOKEN:
        _drop_texts(made, "data", OF_TOKEN)


def _cluster_role(made: Json) -> None:
    """Source: pkg/controller/clusterroleaggregation."""
    if made.get("aggregationRule"):
        made.pop("rules", None)


OF_KIND: Mapping[tuple[str, str], Callable[[Json], None]] = {
    ("", "Namespace"): _namespace,
    ("", "PersistentVolume"): _volume,
    ("", "Pod"): _pod,
    ("", "ReplicationController"): _workload,
    ("", "Secret"): _secret,
    ("apps", "DaemonSet"): _workload,
    ("apps", "Deployment"): _workload,
    ("apps", "ReplicaSet"): _workload,
    ("apps", "StatefulSet"): _workload,
    ("batch", "CronJob"): _cron_job,
    ("batch", "Job"): _job,
    ("rbac.authorization.k8s.io", "ClusterRole"): _cluster_role,
}

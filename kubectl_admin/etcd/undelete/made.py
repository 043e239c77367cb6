"""Which objects controllers make by themselves, so that nobody has to bring them back. Pure.

Each row has its source in kubernetes/kubernetes, release 1.36, unless it says otherwise.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubectl_admin.cluster.decode import mapping
from kubectl_admin.etcd.undelete.facts import Resource
from kubectl_admin.etcd.undelete.kinds import RBAC, TOKEN

Name = tuple[str, str]  # group, and plural or kind

# Kinds of which every object is made, and made again, by a program that knows of it.
ALWAYS: Final[Mapping[Name, str]] = {
    ("", "events"): "whoever reports it",
    ("events.k8s.io", "events"): "whoever reports it",
    ("", "nodes"): "its kubelet",  # pkg/kubelet/kubelet_node_status.go, registerWithAPIServer
    ("storage.k8s.io", "csinodes"): "its kubelet",  # pkg/volume/csi/nodeinfomanager
    ("storage.k8s.io", "volumeattachments"): "the attach-detach controller",  # pkg/volume/csi/csi_attacher.go
    ("storage.k8s.io", "csistoragecapacities"): "its storage driver",  # kubernetes-csi/external-provisioner
    ("coordination.k8s.io", "leases"): "its holder",  # client-go tools/leaderelection
    ("coordination.k8s.io", "leasecandidates"): "its holder",
    ("apps", "controllerrevisions"): "the controller of its owner",  # pkg/controller/history
    ("certificates.k8s.io", "certificatesigningrequests"): "whoever requests it",
    ("certificates.k8s.io", "podcertificaterequests"): "its kubelet",
    ("internal.apiserver.k8s.io", "storageversions"): "the API server",  # apiserver pkg/storageversion
    ("networking.k8s.io", "ipaddresses"): "the API server",  # pkg/registry/core/service/ipallocator
    ("resource.k8s.io", "resourceslices"): "its driver",
}
# Kinds of which an object is made if a controller of these kinds owns it.
BY_OWNER: Final[Mapping[Name, tuple[Name, ...]]] = {
    ("", "pods"): (
        ("apps", "ReplicaSet"),  # pkg/controller/replicaset
        ("apps", "StatefulSet"),  # pkg/controller/statefulset
        ("apps", "DaemonSet"),  # pkg/controller/daemon
        ("batch", "Job"),  # pkg/controller/job
        ("", "ReplicationController"),  # pkg/controller/replication
        ("", "Node"),  # a mirror pod: pkg/kubelet/pod/mirror_client.go
    ),
    ("apps", "replicasets"): (("apps", "Deployment"),),  # pkg/controller/deployment
    ("batch", "jobs"): (("batch", "CronJob"),),  # pkg/controller/cronjob
    # A volume that lives as long as its pod: pkg/controller/volume/ephemeral/controller.go. Claims of a
    # StatefulSet, which it may own as well, hold data that no controller has.
    ("", "persistentvolumeclaims"): (("", "Pod"),),
    ("resource.k8s.io", "resourceclaims"): (("", "Pod"),),  # pkg/controller/resourceclaim
}
# By label: pkg/controller/endpoint, pkg/controller/endpointslice and endpointslicemirroring.
ENDPOINTS = ("endpoints.kubernetes.io/managed-by", ("endpoint-controller",))
SLICES = (
    "endpointslice.kubernetes.io/managed-by",
    ("endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"),
)
# The annotation that the endpoints controller of every release sets (core/v1 annotation_key_constants.go);
# the label is of 1.33 and later.
TRIGGERED = "endpoints.kubernetes.io/last-change-trigger-time"
# pkg/controller/certificates/rootcacertpublisher; pkg/controlplane/controller: clusterauthenticationtrust,
# legacytokentracking; defaultservicecidr, kubernetesservice.
ROOT_CA = "kube-root-ca.crt"
API_SERVERS = {
    ("", "configmaps", "kube-system", "extension-apiserver-authentication"),
    ("", "configmaps", "kube-system", "kube-apiserver-legacy-service-account-token-tracking"),
    ("", "services", "default", "kubernetes"),
    ("", "endpoints", "default", "kubernetes"),
    ("discovery.k8s.io", "endpointslices", "default", "kubernetes"),
    ("networking.k8s.io", "servicecidrs", "", "kubernetes"),
}
# kube-aggregator pkg/controllers/autoregister: «true» is kept up at all times, «onstart» at each start.
AUTOMANAGED = "kube-aggregator.kubernetes.io/automanaged"
# pkg/registry/flowcontrol/rest/storage_flowcontrol.go, every minute; api flowcontrol/v1 types.go.
FLOW = "apf.kubernetes.io/autoupdate-spec"
# plugin/pkg/auth/authorizer/rbac/bootstrappolicy; pkg/registry/rbac/rest/storage_rbac.go, at each start.
BOOTSTRAP = ("kubernetes.io/bootstrapping", "rbac-defaults")
AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"
# cmd/kube-controller-manager/app/certificates.go.
BUNDLE = "kubernetes.io/kube-apiserver-serving"
# A Secret that releases before 1.24 made for a service account, by the alphabet of apimachinery
# pkg/util/rand. Nothing needs it: pods have tokens of their own.
ACCOUNT = "kubernetes.io/service-account.name"
SUFFIX = re.compile(r"-token-[bcdfghjklmnpqrstvwxz2456789]{5}\Z")
DEFAULT = "default"  # pkg/controller/serviceaccount/serviceaccounts_controller.go


def is_always_made(resource: Resource) -> bool:
    """Whether every object of a kind is."""
    return (resource.group, resource.plural) in ALWAYS


def made_by(resource: Resource, item: Mapping[str, Any], *, is_there: bool = False) -> str:
    """Who makes an object by himself, in words; "" for an object that nobody does.

    is_there: whether the live cluster has it. Some are made only when an API server starts: they are brought
    back if they are missing, and nobody else's business if they are there.
    """
    name = (resource.group, resource.plural)
    if always := ALWAYS.get(name):
        return always
    for group, kind, owner in controllers(item):
        if (group, kind) in BY_OWNER.get(name, ()):
            return "its kubelet" if kind == "Node" else f"{kind} {owner}"
    metadata = mapping(item.get("metadata"))
    if (*name, str(metadata.get("namespace") or ""), metadata.get("name")) in API_SERVERS:
        return "the API server"
    look = BY_KIND.get(name) or (BY_KIND_IF_THERE.get(name) if is_there else None)
    return look(item) if look else ""


def controllers(item: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Group, kind and name of the controllers that own an object; there is one at most in a sound object."""
    references = mapping(item.get("metadata")).get("ownerReferences")
    for one in references if isinstance(references, list) else ():
        if mapping(one).get("controller") is True:
            yield group_of(one), str(one.get("kind")), str(one.get("name"))


def group_of(reference: Mapping[str, Any]) -> str:
    """The group of an owner's kind."""
    return str(reference.get("apiVersion") or "").rpartition("/")[0]


def _config_map(item: Mapping[str, Any]) -> str:
    return "the publisher of the root CA" if _name(item) == ROOT_CA else ""


def _account(item: Mapping[str, Any]) -> str:
    """The account «default» of a namespace, as it is made: a person may have added to it since."""
    if _name(item) != DEFAULT:
        return ""
    added = [_texts(item, "labels"), _texts(item, "annotations"), item.get("imagePullSecrets")]
    if any(added) or item.get("automountServiceAccountToken") is not None:
        return ""
    return "the controller of service accounts"


def is_raced(resource: Resource, item: Mapping[str, Any]) -> bool:
    """Whether a controller makes an object of this name at any moment, with less in it than this one has."""
    match resource.group, resource.plural:
        case "", "serviceaccounts":
            return _name(item) == DEFAULT
        case "", "namespaces":
            # pkg/controlplane/controller/systemnamespaces, every minute
            return _name(item) in (DEFAULT, "kube-system", "kube-public", "kube-node-lease")
    return False


def _endpoints(item: Mapping[str, Any]) -> str:
    label, values = ENDPOINTS
    is_made = _texts(item, "labels").get(label) in values or TRIGGERED in _texts(item, "annotations")
    return "its Service" if is_made else ""


def _slice(item: Mapping[str, Any]) -> str:
    label, values = SLICES
    return "its Service" if _texts(item, "labels").get(label) in values else ""


def _secret(item: Mapping[str, Any]) -> str:
    account, name = _texts(item, "annotations").get(ACCOUNT), _name(item)
    if item.get("type") != TOKEN or not account or not SUFFIX.search(name):
        return ""
    return f"service account {account}" if SUFFIX.sub("", name) == account else ""


def _api_service(item: Mapping[str, Any]) -> str:
    return "the API server" if _texts(item, "labels").get(AUTOMANAGED) in ("true", "onstart") else ""


def _flow(item: Mapping[str, Any]) -> str:
    return "the API server" if _texts(item, "annotations").get(FLOW) == "true" else ""


def _role(item: Mapping[str, Any]) -> str:
    label, value = BOOTSTRAP
    is_one = _texts(item, "labels").get(label) == value
    return "the API server" if is_one and _texts(item, "annotations").get(AUTOUPDATE) != "false" else ""


def _bundle(item: Mapping[str, Any]) -> str:
    return "the controller manager" if mapping(item.get("spec")).get("signerName") == BUNDLE else ""


def _name(item: Mapping[str, Any]) -> str:
    return str(mapping(item.get("metadata")).get("name") or "")


def _texts(item: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """Its labels, or annotations."""
    return mapping(mapping(item.get("metadata")).get(field))


BY_KIND = {
    ("", "configmaps"): _config_map,
    ("", "serviceaccounts"): _account,
    ("", "endpoints"): _endpoints,
    ("", "secrets"): _secret,
    ("discovery.k8s.io", "endpointslices"): _slice,
    ("apiregistration.k8s.io", "apiservices"): _api_service,
    ("flowcontrol.apiserver.k8s.io", "flowschemas"): _flow,
    ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations"): _flow,
    ("certificates.k8s.io", "clustertrustbundles"): _bundle,
}
# Those that are kept up where they are, and made only when an API server starts.
BY_KIND_IF_THERE = {
    (RBAC, plural): _role for plural in ("roles", "rolebindings", "clusterroles", "clusterrolebindings")
}

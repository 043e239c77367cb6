"""Which object a key is."""

import tracemalloc

import pytest

from kubectl_admin.etcd.stored.facts import Kind
from kubectl_admin.etcd.stored.kinds import Kinds, built_in

CERTIFICATES = Kind("Certificate", "cert-manager.io", "certificates", namespaced=True, custom=True)
ISSUERS = Kind("ClusterIssuer", "cert-manager.io", "clusterissuers", namespaced=False, custom=True)
DEFINITIONS = {f"{kind.resource}.{kind.group}": kind for kind in (CERTIFICATES, ISSUERS)}

# As kubernetes 1.36 and 1.37 have them in test/integration/etcd/data.go: place, kind, group.
IN_NAMESPACES = """
configmaps ConfigMap -
services/specs Service -
services/endpoints Endpoints -
pods Pod -
podtemplates PodTemplate -
resourcequotas ResourceQuota -
limitranges LimitRange -
events Event -
persistentvolumeclaims PersistentVolumeClaim -
serviceaccounts ServiceAccount -
secrets Secret -
controllers ReplicationController -
daemonsets DaemonSet apps
deployments Deployment apps
statefulsets StatefulSet apps
replicasets ReplicaSet apps
controllerrevisions ControllerRevision apps
horizontalpodautoscalers HorizontalPodAutoscaler autoscaling
jobs Job batch
cronjobs CronJob batch
podcertificaterequests PodCertificateRequest certificates.k8s.io
leases Lease coordination.k8s.io
leasecandidates LeaseCandidate coordination.k8s.io
endpointslices EndpointSlice discovery.k8s.io
evictionrequests EvictionRequest lifecycle.k8s.io
evictions Eviction lifecycle.k8s.io
ingress Ingress networking.k8s.io
networkpolicies NetworkPolicy networking.k8s.io
poddisruptionbudgets PodDisruptionBudget policy
csistoragecapacities CSIStorageCapacity storage.k8s.io
roles Role rbac.authorization.k8s.io
rolebindings RoleBinding rbac.authorization.k8s.io
workloads Workload scheduling.k8s.io
podgroups PodGroup scheduling.k8s.io
compositepodgroups CompositePodGroup scheduling.k8s.io
resourceclaims ResourceClaim resource.k8s.io
resourceclaimtemplates ResourceClaimTemplate resource.k8s.io
"""
WITHOUT = """
namespaces Namespace -
minions Node -
persistentvolumes PersistentVolume -
certificatesigningrequests CertificateSigningRequest certificates.k8s.io
clustertrustbundles ClusterTrustBundle certificates.k8s.io
ingressclasses IngressClass networking.k8s.io
ipaddresses IPAddress networking.k8s.io
servicecidrs ServiceCIDR networking.k8s.io
storageversionmigrations StorageVersionMigration storagemigration.k8s.io
flowschemas FlowSchema flowcontrol.apiserver.k8s.io
prioritylevelconfigurations PriorityLevelConfiguration flowcontrol.apiserver.k8s.io
volumeattachments VolumeAttachment storage.k8s.io
volumeattributesclasses VolumeAttributesClass storage.k8s.io
storageclasses StorageClass storage.k8s.io
clusterroles ClusterRole rbac.authorization.k8s.io
clusterrolebindings ClusterRoleBinding rbac.authorization.k8s.io
validatingwebhookconfigurations ValidatingWebhookConfiguration admissionregistration.k8s.io
mutatingwebhookconfigurations MutatingWebhookConfiguration admissionregistration.k8s.io
validatingadmissionpolicies ValidatingAdmissionPolicy admissionregistration.k8s.io
validatingadmissionpolicybindings ValidatingAdmissionPolicyBinding admissionregistration.k8s.io
mutatingadmissionpolicies MutatingAdmissionPolicy admissionregistration.k8s.io
mutatingadmissionpolicybindings MutatingAdmissionPolicyBinding admissionregistration.k8s.io
priorityclasses PriorityClass scheduling.k8s.io
apiregistration.k8s.io/apiservices APIService apiregistration.k8s.io
apiextensions.k8s.io/customresourcedefinitions CustomResourceDefinition apiextensions.k8s.io
runtimeclasses RuntimeClass node.k8s.io
devicetaintrules DeviceTaintRule resource.k8s.io
resourcepoolstatusrequests ResourcePoolStatusRequest resource.k8s.io
deviceclasses DeviceClass resource.k8s.io
resourceslices ResourceSlice resource.k8s.io
storageversions StorageVersion internal.apiserver.k8s.io
csinodes CSINode storage.k8s.io
csidrivers CSIDriver storage.k8s.io
"""


def told(key, prefix="/registry"):
    """Title, namespace and name; None where the key does not tell them."""
    found = Kinds(prefix, DEFINITIONS.get).object(key)
    return (found.kind.title, found.namespace, found.name) if found.kind else None


@pytest.mark.parametrize(("lines", "namespace"), [(IN_NAMESPACES, "shop"), (WITHOUT, "")])
def test_every_kind_of_kubernetes_is_known_by_where_it_is_stored(lines, namespace):
    for line in lines.strip().splitlines():
        place, kind, group = line.split()
        key = "/".join(part for part in ("/registry", place, namespace, "cart") if part)
        found = Kinds("/registry", DEFINITIONS.get).object(key.encode())
        assert (found.kind.name, found.kind.group) == (kind, group.strip("-")), line
        assert (found.namespace, found.name, found.key) == (namespace, "cart", key), line


def test_no_kind_is_in_the_table_twice_or_for_nothing():
    places = len((IN_NAMESPACES + WITHOUT).split()) // 3
    kinds = [(kind.name, kind.group) for kind in built_in()]
    assert len(kinds) == len({*kinds}) == places + 3  # the API server's own records


@pytest.mark.parametrize(
    ("key", "object"),
    [
        (b"/registry/cert-manager.io/certificates/shop/tls", ("Certificate.cert-manager.io", "shop", "tls")),
        (b"/registry/cert-manager.io/clusterissuers/main", ("ClusterIssuer.cert-manager.io", "", "main")),
        (b"/registry/clusterroles/system:node", ("ClusterRole", "", "system:node")),
        (b"/registry/ranges/serviceips", ("RangeAllocation", "", "serviceips")),
        (b"/registry/masterleases/10.0.0.1", ("ApiServerLease", "", "10.0.0.1")),
        (b"compact_rev_key", ("CompactRevision", "", "compact_rev_key")),
    ],
)
def test_custom_kinds_and_the_api_servers_own_records(key, object):  # noqa: A002
    assert told(key) == object


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b"/",
        b"/registry",
        b"/registry/",
        b"/registry/pods",
        b"/registry/pods/shop",  # a namespace is missing
        b"/registry/pods/shop/",
        b"/registry/pods//web",
        b"/registry/pods/" + b"n" * 64 + b"/web",
        b"/registry/pods/shop/web/more",
        b"/registry/minions/a/b",  # there is no namespace
        b"/registry/minions/",
        b"/registry/cert-manager.io/certificates/tls",  # it is defined with namespaces
        b"/registry/cert-manager.io/clusterissuers/shop/main",
        b"/registry/foo.io/bars/shop/web",  # nothing defines it
        b"/registry/foobars/shop/web",
        b"/registry/services/others/shop/web",
        b"/registryx/pods/shop/web",
        b"/other/pods/shop/web",
        b"/registry/pods/shop/\xff",
    ],
)
def test_keys_that_tell_no_object(key):
    assert told(key) is None
    assert Kinds("/registry", DEFINITIONS.get).object(key).key == key.decode(errors="backslashreplace")


def test_an_absurdly_long_key_is_cut():
    found = Kinds("/registry", DEFINITIONS.get).object(b"/registry/pods/shop/" + b"x" * 5000)
    assert found.kind is None
    assert found.key == "/registry/pods/shop/" + "x" * 180 + "… (5,020 bytes)"


def test_names_that_no_api_server_takes_tell_nothing():
    """Nor do they take memory: long directories are not remembered."""
    kinds = Kinds("/registry", lambda name: pytest.fail(f"asked for {name}"))
    long, longer = "n" * 3000, "\U0001f600" * 800
    tracemalloc.start()
    try:
        for number in range(1000):
            for key in (
                f"/registry/pods/{number}{longer}/web",
                f"/registry/{long}.io/{number}s/shop/web",
                f"/registry/{long[:300]}.io/{number}s/shop/web",
                f"/registry/pods/{number}{longer[:64]}/web",
            ):
                found = kinds.object(key.encode())
                assert (found.kind, found.namespace, found.key) == (None, "", key)
        assert tracemalloc.get_traced_memory()[1] < 3 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("prefix", ["kubernetes.io", "/kubernetes.io", "/kubernetes.io/"])
def test_another_prefix(prefix):
    assert told(b"/kubernetes.io/pods/shop/web", prefix) == ("Pod", "shop", "web")
    assert told(b"/registry/pods/shop/web", prefix) is None


def test_no_prefix():
    assert told(b"/pods/shop/web", "/") == ("Pod", "shop", "web")


def test_a_definition_is_looked_up_once():
    asked = []
    kinds = Kinds("/registry", asked.append)
    for _ in range(3):
        kinds.object(b"/registry/foo.io/bars/a/b")
    assert asked == ["bars.foo.io"]

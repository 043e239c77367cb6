"""Objects that controllers make by themselves."""

import pytest

from kubectl_admin.etcd.undelete.made import is_raced, made_by
from tests.unit.etcd.undelete.things import BY_KIND, owned, thing

ENDPOINTS = "endpoints.kubernetes.io/managed-by"
TRIGGERED = "endpoints.kubernetes.io/last-change-trigger-time"
SLICES = "endpointslice.kubernetes.io/managed-by"
TOKEN = "kubernetes.io/service-account-token"


def maker(item, *, there=False):
    return made_by(BY_KIND[item["kind"]], item, is_there=there)


def with_texts(kind, field, name, value):
    return thing(kind, "web", metadata={field: {name: value}})


def under(kind, owner, *, controller=True, **more):
    return thing(kind, "a", metadata={"ownerReferences": [owned(owner, controller=controller)]}, **more)


@pytest.mark.parametrize(
    ("kind", "owner"),
    [
        ("Pod", "ReplicaSet"),
        ("Pod", "StatefulSet"),
        ("Pod", "Job"),
        ("ReplicaSet", "Deployment"),
        ("Job", "CronJob"),
        ("PersistentVolumeClaim", "Pod"),
    ],
)
def test_what_a_controller_of_kubernetes_owns_is_made(kind, owner):
    assert maker(under(kind, thing(owner, "web"))) == f"{owner} web"
    assert not maker(under(kind, thing(owner, "web"), controller=False))
    assert not maker(thing(kind, "a"))


@pytest.mark.parametrize(
    ("kind", "owner"),
    [
        ("Pod", "Widget"),
        ("ReplicaSet", "Widget"),
        ("Pod", "Deployment"),
        ("PersistentVolumeClaim", "StatefulSet"),
        ("ConfigMap", "Deployment"),
    ],
)
def test_what_others_own_comes_back(kind, owner):
    assert not maker(under(kind, thing(owner, "web")))


def test_a_kind_of_the_same_name_in_another_group_is_another_kind():
    other = {**thing("Deployment", "web"), "apiVersion": "apps.example.com/v1"}
    assert not maker(under("ReplicaSet", other))


def test_a_mirror_pod_is_its_kubelets():
    assert maker(under("Pod", thing("Node", "cp-1"))) == "its kubelet"


@pytest.mark.parametrize("kind", ["Event", "Node", "ControllerRevision"])
def test_kinds_that_are_always_made(kind):
    assert maker(thing(kind, "a"))


@pytest.mark.parametrize(
    ("item", "is_made"),
    [
        (thing("ConfigMap", "kube-root-ca.crt"), True),
        (thing("ConfigMap", "kube-root-ca"), False),
        (thing("ConfigMap", "extension-apiserver-authentication", "kube-system"), True),
        (thing("ConfigMap", "extension-apiserver-authentication", "shop"), False),
        (thing("Service", "kubernetes", "default"), True),
        (thing("Service", "kubernetes", "shop"), False),
        (thing("ServiceAccount", "default"), True),
        (thing("ServiceAccount", "default", imagePullSecrets=[{"name": "r"}]), False),
        (thing("ServiceAccount", "default", metadata={"annotations": {"role": "x"}}), False),
        (thing("ServiceAccount", "default", automountServiceAccountToken=False), False),
        (thing("ServiceAccount", "bot"), False),
        (thing("Endpoints", "web"), False),
        (with_texts("Endpoints", "labels", ENDPOINTS, "endpoint-controller"), True),
        (with_texts("Endpoints", "annotations", TRIGGERED, "x"), True),
        (thing("EndpointSlice", "web-x"), False),
        (with_texts("EndpointSlice", "labels", SLICES, "me"), False),
        (with_texts("EndpointSlice", "labels", SLICES, "endpointslice-controller.k8s.io"), True),
        (with_texts("EndpointSlice", "labels", SLICES, "endpointslicemirroring-controller.k8s.io"), True),
    ],
)  # fmt: skip
def test_single_objects(item, is_made):
    assert bool(maker(item)) is is_made


@pytest.mark.parametrize(
    ("name", "account", "kind", "is_made"),
    [
        ("bot-token-x7v2k", "bot", TOKEN, True),
        ("bot-token-x7v2k", "other", TOKEN, False),
        ("bot-token", "bot", TOKEN, False),
        ("bot-token-aeiou", "bot", TOKEN, False),
        ("bot-token-x7v2k", "bot", "Opaque", False),
        ("bot-token-x7v2k", None, TOKEN, False),
    ],
)
def test_a_token_that_a_person_asked_for_is_not_made(name, account, kind, is_made):
    annotations = {"kubernetes.io/service-account.name": account} if account else {}
    item = thing("Secret", name, metadata={"annotations": annotations}, type=kind)
    assert bool(maker(item)) is is_made


@pytest.mark.parametrize("kind", ["Role", "ClusterRole"])
def test_bootstrap_roles_are_made_where_they_are_there(kind):
    labels = {"labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}
    kept = {**labels, "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "false"}}
    assert maker(thing(kind, "view", metadata=labels), there=True)
    assert not maker(thing(kind, "view", metadata=labels))
    assert not maker(thing(kind, "view", metadata=kept), there=True)
    assert not maker(thing(kind, "mine"), there=True)


@pytest.mark.parametrize(
    "odd",
    [
        {"kind": "Pod"},
        {"kind": "Pod", "metadata": {"ownerReferences": "x"}},
        {
            "kind": "Pod",
            "metadata": {"ownerReferences": [None, 3, {"controller": True}, {"controller": "true"}]},
        },
        {"kind": "Secret", "metadata": {"annotations": [], "name": 3}, "type": TOKEN},
    ],
)
def test_an_odd_object_is_made_by_nobody(odd):
    assert not maker(odd)


def test_names_at_which_a_controller_makes_one_of_its_own():
    assert is_raced(BY_KIND["ServiceAccount"], thing("ServiceAccount", "default"))
    assert is_raced(BY_KIND["Namespace"], thing("Namespace", "kube-public"))
    assert not is_raced(BY_KIND["ServiceAccount"], thing("ServiceAccount", "bot"))
    assert not is_raced(BY_KIND["ConfigMap"], thing("ConfigMap", "default"))

import base64

from kubectl_admin.certificates.facts import Source, Use
from kubectl_admin.certificates.inventory import objects
from kubectl_admin.certificates.x509 import Broken
from tests.unit.certificates.samples import pem

BUNDLE = base64.b64encode(pem("ca", authority=True)).decode()
OTHER = base64.b64encode(pem("other", authority=True)).decode()


def hooks(*bundles):
    return {
        "metadata": {"name": "policy"},
        "webhooks": [{"name": "x", "clientConfig": {"caBundle": one} if one else {}} for one in bundles],
    }


def told(kind, *documents):
    return [
        (one.name, one.certificate.common_name if one.certificate else one.content)
        for one in objects.of_objects(kind, documents)
    ]


def test_each_bundle_of_an_object_counts_once():
    assert told("validatingwebhook", hooks(BUNDLE, BUNDLE, None, OTHER)) == [
        ("validatingwebhook/policy", "ca"),
        ("validatingwebhook/policy", "other"),
    ]


def test_a_bundle_that_is_none():
    assert told("mutatingwebhook", hooks("Cg==", "%")) == [
        ("mutatingwebhook/policy", Broken("it is empty")),
        ("mutatingwebhook/policy", Broken("it is not base64")),
    ]


def test_conversion_webhooks_and_aggregated_apis():
    plain = {"metadata": {"name": "a"}, "spec": {"conversion": {"strategy": "None"}}}
    webhook = {"clientConfig": {"caBundle": BUNDLE}}
    converted = {"metadata": {"name": "b"}, "spec": {"conversion": {"webhook": webhook}}}
    assert told("crd", plain, converted, {"metadata": {"name": "c"}}) == [("crd/b", "ca")]
    local = {"metadata": {"name": "v1."}, "spec": {}}
    served = {"metadata": {"name": "v1beta1.metrics.k8s.io"}, "spec": {"caBundle": BUNDLE}}
    assert told("apiservice", local, served) == [("apiservice/v1beta1.metrics.k8s.io", "ca")]


def test_objects_without_anything():
    assert told("validatingwebhook", {"metadata": {"name": "a"}, "webhooks": None}) == []
    assert list(objects.of_published({"metadata": {}})) == []


def test_the_authorities_that_api_servers_publish():
    data = {
        "client-ca-file": (pem("kubernetes") + pem("older")).decode(),
        "requestheader-client-ca-file": pem("front-proxy-ca").decode(),
        "requestheader-allowed-names": '["front-proxy-client"]',
    }
    found = list(objects.of_published({"data": data}))
    assert [(one.name, one.certificate.common_name) for one in found] == [
        ("ca", "kubernetes"),
        ("ca", "older"),
        ("front-proxy-ca", "front-proxy-ca"),
    ]
    assert {(one.source, one.use) for one in found} == {(Source.OBJECT, Use.AUTHORITY)}

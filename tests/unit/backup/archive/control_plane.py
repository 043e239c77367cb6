"""A control plane's files and snapshot, as kubeadm and etcd make them, for archives that are verified."""

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from kubectl_admin.backup import ustar
from kubectl_admin.backup.ustar import Entry, Type
from tests.unit.etcd.diff.history import CLUSTER, History
from tests.unit.etcd.stored.encoded import kept

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
K8S, PKI = "/etc/kubernetes", "/etc/kubernetes/pki"
KEY = bytes(range(32))
SECRET = b"/registry/secrets/shop/password"
UID = str(CLUSTER)
COMMANDS = {
    "kube-apiserver": {
        "client-ca-file": f"{PKI}/ca.crt",
        "requestheader-client-ca-file": f"{PKI}/front-proxy-ca.crt",
        "etcd-cafile": f"{PKI}/etcd/ca.crt",
        "tls-cert-file": f"{PKI}/apiserver.crt",
        "tls-private-key-file": f"{PKI}/apiserver.key",
        "service-account-signing-key-file": f"{PKI}/sa.key",
        "service-account-key-file": f"{PKI}/sa.pub",
        "encryption-provider-config": f"{K8S}/enc.yaml",
    },
    "kube-controller-manager": {
        "kubeconfig": f"{K8S}/controller-manager.conf",
        "service-account-private-key-file": f"{PKI}/sa.key",
    },
    "kube-scheduler": {"kubeconfig": f"{K8S}/scheduler.conf"},
    "etcd": {"trusted-ca-file": f"{PKI}/etcd/ca.crt", "cert-file": f"{PKI}/etcd/server.crt"},
}


@cache
def key(name):  # noqa: ARG001 - one for each name
    return ec.generate_private_key(ec.SECP256R1())


def private(name):
    return key(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public(name):
    return key(name).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@cache
def certificate(name, signer=None, days=3000):
    signer = signer or name
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (signer, name)]
    built = x509.CertificateBuilder(
        *names, key(name).public_key(), 7, NOW - timedelta(days=9), NOW + timedelta(days=days), []
    )
    return built.sign(key(signer), SHA256()).public_bytes(Encoding.PEM)


def kubeconfig(name, signer="ca"):
    user = {
        "client-certificate-data": b64encode(certificate(name, signer)).decode(),
        "client-key-data": b64encode(private(name)).decode(),
    }
    return json.dumps({"kind": "Config", "users": [{"name": name, "user": user}]}).encode()


def manifest(component, flags):
    words = [component, *(f"--{flag}={value}" for flag, value in flags.items())]
    container = {
        "name": component,
        "command": words,
        "volumeMounts": [{"name": "k8s", "mountPath": K8S}],
    }
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": component, "namespace": "kube-system", "labels": {"component": component}},
            "spec": {
                "containers": [container],
                "volumes": [{"name": "k8s", "hostPath": {"path": K8S}}],
            },
        }
    ).encode()


def encryption(name="key1", secret=KEY):
    keys = [{"name": name, "secret": b64encode(secret).decode()}]
    providers = [{"aesgcm": {"keys": keys}}, {"identity": {}}]
    entry = {"resources": ["secrets"], "providers": providers}
    return json.dumps({"kind": "EncryptionConfiguration", "resources": [entry]}).encode()


def files(**changes):
    """The files of a control plane by their paths. changes: by the end of a path; None: it is not there."""
    found = {
        f"{PKI}/ca.crt": certificate("ca"),
        f"{PKI}/ca.key": private("ca"),
        f"{PKI}/front-proxy-ca.crt": certificate("front"),
        f"{PKI}/front-proxy-ca.key": private("front"),
        f"{PKI}/etcd/ca.crt": certificate("etcd"),
        f"{PKI}/etcd/ca.key": private("etcd"),
        f"{PKI}/etcd/server.crt": certificate("server", "etcd"),
        f"{PKI}/etcd/server.key": private("server"),
        f"{PKI}/apiserver.crt": certificate("apiserver", "ca"),
        f"{PKI}/apiserver.key": private("apiserver"),
        f"{PKI}/sa.key": private("sa"),
        f"{PKI}/sa.pub": public("sa"),
        f"{K8S}/enc.yaml": encryption(),
        f"{K8S}/admin.conf": kubeconfig("admin"),
        f"{K8S}/controller-manager.conf": kubeconfig("manager"),
        f"{K8S}/scheduler.conf": kubeconfig("scheduler"),
        **{f"{K8S}/manifests/{name}.yaml": manifest(name, flags) for name, flags in COMMANDS.items()},
    }
    for end, content in changes.items():
        path = next(each for each in found if each.endswith(end))
        found[path] = content
    return {path: content for path, content in found.items() if content is not None}


def tar(found, links=()):
    parts = []
    for path, content in found.items():
        parts += [ustar.header(Entry(path[1:], len(content))), content]
        parts.append(bytes(ustar.padded(len(content)) - len(content)))
    parts += [ustar.header(Entry(path[1:], type=Type.LINK, target=target)) for path, target in links]
    return b"".join([*parts, ustar.END])


def history(secret=KEY, ca="ca"):
    """What etcd has: a cluster with one Secret that is encrypted."""
    nonce = bytes(12)
    sealed = nonce + AESGCM(secret).encrypt(nonce, kept({"apiVersion": "v1", "kind": "Secret"}), SECRET)
    info = {
        "kind": "Config",
        "clusters": [{"cluster": {"certificate-authority-data": b64encode(certificate(ca)).decode()}}],
    }
    return (
        History()
        .put(b"/registry/configmaps/kube-public/cluster-info", config_map(kubeconfig=json.dumps(info)))
        .put(
            b"/registry/configmaps/kube-system/kube-root-ca.crt",
            config_map(**{"ca.crt": certificate(ca).decode()}),
        )
        .put(SECRET, b"k8s:enc:aesgcm:v1:key1:" + sealed)
    )


def config_map(**data):
    return kept({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data})

"""Every file that a control plane was told to use is found, and what is no file of the node is said."""

import json

import pytest

from kubectl_admin.backup.facts import Lost
from kubectl_admin.backup.named_by_files import Form
from kubectl_admin.backup.named_files import named_files
from kubectl_admin.control_plane.component import APISERVER, CONTROLLER_MANAGER, ETCD, SCHEDULER
from tests.unit.backup.samples import part

KMS = """
apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
  - kms: {apiVersion: v2, name: vault, endpoint: "unix:///run/kms/vault.sock"}
  - aescbc: {keys: [{name: key1, secret: AAAA}]}
  - identity: {}
- resources: [configmaps]
  providers:
  - kms: {apiVersion: v2, name: vault, endpoint: "unix:///run/kms/vault.sock"}
"""
ADMISSION = """
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: ImagePolicyWebhook
  path: images.yaml
- name: ValidatingAdmissionWebhook
  configuration:
    kind: WebhookAdmissionConfiguration
    kubeConfigFile: /etc/admission/hooks.conf
- name: PodSecurity
  configuration: {kind: PodSecurityConfiguration, defaults: {enforce: baseline}}
- name: EventRateLimit
  path: /etc/admission/rates.yaml
"""
IMAGES = "imagePolicy: {kubeConfigFile: images.conf, defaultAllow: false}"
KUBECONFIG = """
kind: Config
clusters:
- name: x
  cluster: {certificate-authority: pki/ca.crt, server: https://x}
users:
- name: a
  user: {client-certificate: /etc/admission/a.crt, client-key: ../admission/a.key}
- name: b
  user: {tokenFile: token, exec: {command: /usr/local/bin/login}}
- name: c
  user: {client-certificate-data: AAAA}
"""
AUTHORIZATION = """
kind: AuthorizationConfiguration
authorizers:
- type: Webhook
  webhook: {connectionInfo: {type: KubeConfigFile, kubeConfigFile: /etc/admission/authz.conf}}
- type: Webhook
  webhook: {connectionInfo: {type: InClusterConfig}}
- type: RBAC
"""
EGRESS = """
kind: EgressSelectorConfiguration
egressSelections:
- name: cluster
  connection:
    proxyProtocol: HTTPConnect
    transport: {tcp: {url: x, tlsConfig: {caBundle: /etc/admission/e.crt, clientKey: /etc/admission/e.key}}}
- name: controlplane
  connection: {proxyProtocol: GRPC, transport: {uds: {udsName: /run/konnectivity.sock}}}
"""


def paths(pod, texts=()):
    return {one.path for one in named_files(pod, dict(texts)).files}


@pytest.mark.parametrize(
    ("component", "word"),
    [
        *(
            (APISERVER, f"--{flag}=/etc/kubernetes/x")
            for flag in (
                "admission-control-config-file",
                "allow-metric-labels-manifest",
                "audit-policy-file",
                "audit-webhook-config-file",
                "authentication-config",
                "authentication-token-webhook-config-file",
                "authorization-config",
                "authorization-policy-file",
                "authorization-webhook-config-file",
                "client-ca-file",
                "egress-selector-config-file",
                "encryption-provider-config",
                "etcd-cafile",
                "etcd-certfile",
                "etcd-keyfile",
                "kubelet-certificate-authority",
                "kubelet-client-certificate",
                "kubelet-client-key",
                "oidc-ca-file",
                "peer-ca-file",
                "proxy-client-cert-file",
                "proxy-client-key-file",
                "requestheader-client-ca-file",
                "service-account-key-file",
                "service-account-signing-key-file",
                "tls-cert-file",
                "tls-private-key-file",
                "token-auth-file",
                "tracing-config-file",
            )
        ),
        *(
            (CONTROLLER_MANAGER, f"--{flag}=/etc/kubernetes/x")
            for flag in (
                "authentication-kubeconfig",
                "authorization-kubeconfig",
                "cloud-config",
                "cluster-signing-cert-file",
                "cluster-signing-key-file",
                "cluster-signing-kubelet-serving-key-file",
                "kubeconfig",
                "leader-migration-config",
                "pv-recycler-pod-template-filepath-nfs",
                "root-ca-file",
                "service-account-private-key-file",
            )
        ),
        (SCHEDULER, "--config=/etc/kubernetes/x"),
        (SCHEDULER, "--kubeconfig=/etc/kubernetes/x"),
        *(
            (ETCD, f"--{flag}=/etc/kubernetes/x")
            for flag in (
                "cert-file",
                "client-cert-file",
                "client-crl-file",
                "config-file",
                "key-file",
                "peer-cert-file",
                "peer-crl-file",
                "peer-key-file",
                "peer-trusted-ca-file",
                "trusted-ca-file",
            )
        ),
        (APISERVER, "--of-the-future=/etc/kubernetes/x"),
        (APISERVER, "-client-ca-file=/etc/kubernetes/x"),
        (APISERVER, "--client_ca_file=/etc/kubernetes/x"),
    ],
)
def test_every_flag_that_names_a_file(component, word):
    found = named_files(part(word, component=component), {})
    assert [one.path for one in found.files] == ["/etc/kubernetes/x"]
    assert found.lost == ()


@pytest.mark.parametrize(
    "word",
    [
        "--audit-log-path=/var/log/audit.log",
        "--authorization-always-allow-paths=/healthz,/readyz",
        "--cert-dir=/var/run/kubernetes",
        "--etcd-prefix=/registry",
        "--etcd-servers-overrides=/events#https://10.0.0.1:2379",
        "--etcd-servers=https://127.0.0.1:2379",
        "--flex-volume-plugin-dir=/usr/libexec/kubernetes",
        "--runtime-config=api/all=true",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--audit-policy-file=",
        "--profiling",
        "--v=2",
    ],
)
def test_flags_that_name_none(word):
    assert named_files(part(word), {}).files == ()


def test_the_directories_of_etcd_are_no_files():
    assert paths(part("--data-dir=/etc/kubernetes/d", "--wal-dir=/etc/kubernetes/w", component=ETCD)) == set()


def test_etcd_is_told_by_its_variables_as_well():
    env = [{"name": "ETCD_CERT_FILE", "value": "/etc/kubernetes/server.crt"}]
    assert paths(part(component=ETCD, env=env)) == {"/etc/kubernetes/server.crt"}


def test_flags_that_are_given_more_than_once_count_each_time():
    pod = part(
        "--service-account-key-file=/etc/kubernetes/old.pub",
        "--service-account-key-file=/etc/kubernetes/new.pub",
        "--tls-sni-cert-key=/etc/kubernetes/a.crt,/etc/kubernetes/a.key",
        "--tls-sni-cert-key=/etc/kubernetes/b.crt,/etc/kubernetes/b.key:*.b.example,b.example",
    )
    assert paths(pod) == {
        f"/etc/kubernetes/{name}" for name in ("old.pub", "new.pub", "a.crt", "a.key", "b.crt", "b.key")
    }


def test_a_file_is_where_the_node_has_it():
    pod = part(
        "--audit-policy-file=/etc/admission/sub/../policy.yaml", "--tls-cert-file=etc/kubernetes//x.crt"
    )
    assert paths(pod) == {"/srv/admission/policy.yaml", "/etc/kubernetes/x.crt"}


@pytest.mark.parametrize("path", ["/opt/policy.yaml", "/etc/kubernetes/../policy.yaml", "/etc/kubernetes2/x"])
def test_a_file_of_the_image_is_lost(path):
    found = named_files(part(f"--audit-policy-file={path}"), {})
    assert found.files == ()
    (one,) = found.lost
    assert one.node == "cp-1"
    assert "--audit-policy-file of kube-apiserver" in one.what


def test_only_what_is_known_to_be_a_file_must_be_there():
    found = named_files(part("--client-ca-file=/etc/kubernetes/a", "--of-the-future=/etc/kubernetes/b"), {})
    assert {one.path: one.is_sure for one in found.files} == {
        "/etc/kubernetes/a": True,
        "/etc/kubernetes/b": False,
    }


def test_a_signer_outside_holds_the_key_of_service_accounts():
    found = named_files(part("--service-account-signing-endpoint=/run/signer.sock"), {})
    assert found.files == ()
    assert [one.what for one in found.lost] == [
        "the program behind /run/signer.sock, named by --service-account-signing-endpoint of kube-apiserver"
    ]


def test_files_name_files_until_all_are_known():
    pod = part("--admission-control-config-file=/etc/admission/admission.yaml")
    texts = {
        "/srv/admission/admission.yaml": ADMISSION,
        "/srv/admission/images.yaml": IMAGES,
        "/srv/admission/images.conf": KUBECONFIG,
        "/srv/admission/hooks.conf": "{}",
        "/srv/admission/rates.yaml": "limits: []",
    }
    known, rounds = {}, 0
    while unread := named_files(pod, known).unread:
        known |= {one.path: texts[one.path] for one in unread}
        rounds += 1
    assert rounds == 3
    found = named_files(pod, known)
    assert {one.path.removeprefix("/srv/admission/") for one in found.files} == {
        *("admission.yaml", "images.yaml", "hooks.conf", "rates.yaml", "images.conf"),
        *("pki/ca.crt", "a.crt", "a.key", "token"),
    }
    assert [one.what for one in found.lost] == [
        "program /usr/local/bin/login, named by /srv/admission/images.conf"
    ]


def test_what_is_not_read_is_still_in_the_list():
    pod = part("--encryption-provider-config=/etc/kubernetes/enc.yaml")
    found = named_files(pod, {})
    assert (
        [one.path for one in found.files]
        == [one.path for one in found.unread]
        == ["/etc/kubernetes/enc.yaml"]
    )
    assert found.unread[0].form is Form.DOCUMENT


def of_document(flag, text, path="/etc/admission/x.yaml"):
    return named_files(part(f"--{flag}={path}"), {path.replace("/etc/admission", "/srv/admission"): text})


def test_a_kms_plugin_is_told_once():
    found = of_document("encryption-provider-config", KMS)
    assert found.lost == (
        Lost(
            "KMS plugin vault at unix:///run/kms/vault.sock, named by /srv/admission/x.yaml",
            "it holds the key by which objects in etcd are encrypted",
            "cp-1",
        ),
    )
    assert "AAAA" not in str(found)


def test_authorizers_and_egress():
    found = of_document("authorization-config", AUTHORIZATION)
    assert {one.path for one in found.files} == {"/srv/admission/x.yaml", "/srv/admission/authz.conf"}
    found = of_document("egress-selector-config-file", EGRESS)
    assert {one.path.removeprefix("/srv/admission/") for one in found.files} == {"x.yaml", "e.crt", "e.key"}
    assert [one.what for one in found.lost] == [
        "the program behind /run/konnectivity.sock, named by /srv/admission/x.yaml"
    ]


def test_the_scheduler_and_etcd_by_their_own_files():
    config = (
        "kind: KubeSchedulerConfiguration\nclientConnection: {kubeconfig: /etc/kubernetes/scheduler.conf}"
    )
    pod = part("--config=/etc/kubernetes/x.yaml", component=SCHEDULER)
    assert paths(pod, {"/etc/kubernetes/x.yaml": config}) == {
        "/etc/kubernetes/x.yaml",
        "/etc/kubernetes/scheduler.conf",
    }
    config = "client-transport-security: {cert-file: /etc/kubernetes/a, client-cert-auth: true}\ndata-dir: /x"
    pod = part("--config-file=/etc/kubernetes/x.yaml", component=ETCD)
    assert paths(pod, {"/etc/kubernetes/x.yaml": config}) == {"/etc/kubernetes/x.yaml", "/etc/kubernetes/a"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "3",
        "kind: [x]",
        "kind: AdmissionConfiguration\nplugins: {path: x}",
        "plugins: [1, null]",
    ],
)
def test_odd_documents_name_nothing(text):
    found = of_document("admission-control-config-file", text)
    assert len(found.files) == 1
    assert found.lost == ()


@pytest.mark.parametrize("text", ["{", "a: [", "!!python/object:x {}", "\t"])
def test_a_document_that_is_none_is_said(text):
    found = of_document("encryption-provider-config", text)
    assert [one.what for one in found.lost] == ["files that /srv/admission/x.yaml may name"]


def test_odd_paths_in_a_document():
    odd = [{"path": one} for one in (None, 3, ["x"], "", "a\0b", "x" * 5000)]
    text = json.dumps({"kind": "AdmissionConfiguration", "plugins": [{"path": "a.yaml"}, *odd]}, indent="\t")
    found = of_document("admission-control-config-file", text)
    assert {one.path for one in found.files} == {"/srv/admission/x.yaml", "/srv/admission/a.yaml"}


def test_files_that_name_each_other_come_to_an_end():
    text = 'kind: AdmissionConfiguration\nplugins: [{path: x.yaml}, {path: "../admission/x.yaml"}]'
    found = of_document("admission-control-config-file", text)
    assert [one.path for one in found.files] == ["/srv/admission/x.yaml"]


def test_a_part_that_names_too_many_files_says_so():
    def naming(beginning, count):
        plugins = [{"path": f"{beginning}{number}.yaml"} for number in range(count)]
        return json.dumps({"kind": "AdmissionConfiguration", "plugins": plugins})

    deeper = {f"/srv/admission/{number}.yaml": naming(f"{number}-", 100) for number in range(150)}
    pod = part("--admission-control-config-file=/etc/admission/x.yaml")
    found = named_files(pod, {"/srv/admission/x.yaml": naming("", 150), **deeper})
    assert len(found.files) == 200
    assert [one.why for one in found.lost] == ["it names more than 200"]


def test_what_is_kept_in_another_etcd_is_lost():
    found = named_files(part("--etcd-servers-overrides=/events#https://10.0.0.9:2379"), {})
    assert [lost.what for lost in found.lost] == ["all events in the etcd at https://10.0.0.9:2379"]

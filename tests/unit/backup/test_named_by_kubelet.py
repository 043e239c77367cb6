"""What a kubelet names, wherever its flags are written."""

from kubectl_admin.backup.facts import Lost
from kubectl_admin.backup.named_by_kubelet import CONFIG, named_by_kubelet

TEXTS = {
    "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf": (
        'Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf '
        '--kubeconfig=/etc/kubernetes/kubelet.conf"\n'
        'Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"\n'
    ),
    "/etc/default/kubelet": (
        "KUBELET_EXTRA_ARGS='--image-credential-provider-config /srv/credentials.yaml "
        "--image-credential-provider-bin-dir=/srv/bin --config-dir=/srv/kubelet.d --node-ip=10.0.0.1'\n"
    ),
    CONFIG: (
        "authentication: {x509: {clientCAFile: /etc/kubernetes/pki/ca.crt}}\n"
        "tlsCertFile: pki/own.crt\nstaticPodPath: /srv/pods\n"
    ),
    "/etc/other": "--kubeconfig=/etc/passwd",
}


def test_flags_of_all_places_and_the_configuration():
    found = named_by_kubelet("cp-1", TEXTS)
    assert {file.path for file in found.files} == {
        "/etc/kubernetes/bootstrap-kubelet.conf",
        "/etc/kubernetes/kubelet.conf",
        CONFIG,
        "/srv/credentials.yaml",
        "/srv/kubelet.d/",
        "/etc/kubernetes/pki/ca.crt",
        "/var/lib/kubelet/pki/own.crt",
        "/srv/pods/",
    }
    programs = "the programs in /srv/bin, named by --image-credential-provider-bin-dir of kubelet"
    assert found.lost == (Lost(programs, "they give credentials", "cp-1"),)
    assert not any(file.is_sure for file in found.files)


def test_another_configuration_is_read_and_one_that_is_none_is_said():
    texts = {
        "/var/lib/kubelet/kubeadm-flags.env": 'KUBELET_KUBEADM_ARGS="--config=/srv/kubelet.yaml"',
        "/srv/kubelet.yaml": "tlsCertFile: /srv/a.crt",
        CONFIG: "{",
    }
    found = named_by_kubelet("cp-1", texts)
    assert "/srv/a.crt" in {file.path for file in found.files}
    assert [lost.what for lost in found.lost] == [f"files that {CONFIG} may name"]
    assert (
        named_by_kubelet("cp-1", {CONFIG: "staticPodPath: [x]\ntlsCertFile: 3\nauthentication: no"}).files
        == ()
    )

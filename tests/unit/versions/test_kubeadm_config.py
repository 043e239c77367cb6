"""ConfigMap kubeadm-config, read as kubeadm reads it."""

import pytest

from kubectl_admin.control_plane.component import Component
from kubectl_admin.versions.facts import KubeadmConfig
from kubectl_admin.versions.kubeadm_config import (
    cluster_configuration,
    kubeadm_config,
    kubernetes_version,
)
from kubectl_admin.versions.version import Version

NEW = """
apiVersion: kubeadm.k8s.io/v1beta4
apiServer:
  extraArgs:
  - name: feature-gates
    value: SidecarContainers=true
  - {name: v, value: 2}
  - {name: profiling, value: false}
  - {name: empty}
etcd:
  local: {imageTag: 3.6.16-0, extraArgs: [{name: quota-backend-bytes, value: "8"}]}
proxy: {disabled: true}
dns: {disabled: true}
kubernetesVersion: "v1.36.3"
"""
OLD = """
apiServer:
  extraArgs: {feature-gates: "A=true", v: "2"}
  timeoutForControlPlane: 4m0s
kubernetesVersion: v1.34.1
"""

DEEP = {"data": {"ClusterConfiguration": "[" * 20_000}}


def read(text):
    return cluster_configuration({"data": {"ClusterConfiguration": text}})


def test_both_ways_to_write_extra_arguments():
    assert kubeadm_config(read(NEW)) == KubeadmConfig(
        etcd_tag=Version(3, 6, 16),
        proxy_disabled=True,
        dns_disabled=True,
        extra_args={
            Component.APISERVER: (
                "--feature-gates=SidecarContainers=true",
                "--v=2",
                "--profiling=false",
                "--empty=",
            ),
            Component.ETCD: ("--quota-backend-bytes=8",),
        },
    )
    assert kubeadm_config(read(OLD)) == KubeadmConfig(
        extra_args={Component.APISERVER: ("--feature-gates=A=true", "--v=2")}
    )
    assert [str(kubernetes_version(read(text))) for text in (NEW, OLD)] == ["1.36.3", "1.34.1"]


@pytest.mark.parametrize(
    "config_map", [None, {}, {"data": None}, {"data": {}}, {"data": {"ClusterConfiguration": "{"}}, DEEP]
)
def test_a_config_map_without_it(config_map):
    assert cluster_configuration(config_map) is None
    assert kubeadm_config(None) is None
    assert kubernetes_version(None) is None


@pytest.mark.parametrize("text", ["[]", "1", "etcd: [1]\nproxy: yes\napiServer: {extraArgs: 3}"])
def test_what_makes_no_sense_says_nothing(text):
    found = read(text)
    assert found is None or kubeadm_config(found) == KubeadmConfig()

"""Paths of the API that several rooms ask, and the namespace of Kubernetes' own pods."""

KUBE_SYSTEM = "kube-system"
SYSTEM = f"/api/v1/namespaces/{KUBE_SYSTEM}"
SYSTEM_PODS = f"{SYSTEM}/pods"
SYSTEM_APPS = f"/apis/apps/v1/namespaces/{KUBE_SYSTEM}"
KUBEADM_CONFIG = f"{SYSTEM}/configmaps/kubeadm-config"

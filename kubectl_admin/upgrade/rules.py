"""The rules that the upgrade of a node is judged by, beside those of versions/, etcd/ and drain/."""

from kubectl_admin.finding import Rule

_KUBEADM_UPGRADE = "https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-upgrade/"
_SKEW_POLICY = "https://kubernetes.io/releases/version-skew-policy/"
_KUBEADM_CONFIG = "https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/"
_REFERENCE = "https://kubernetes.io/docs/reference/command-line-tools-reference/"

DOWNGRADE = Rule("downgrade", "Kubernetes is never taken back to an older version", _KUBEADM_UPGRADE)
SKIPPED_MINOR = Rule(
    "skipped-minor",
    "a control plane is upgraded from one minor to the next",
    f"{_SKEW_POLICY}#kube-apiserver-1",
)
DRAIN_NEEDED = Rule(
    "drain-needed",
    "a node is drained before its kubelet is upgraded to another minor",
    f"{_SKEW_POLICY}#kubelet-1",
)
CONTROL_PLANE_ORDER = Rule(
    "control-plane-order",
    "one control-plane node is upgraded first, with «kubeadm upgrade apply»; the others follow",
    _KUBEADM_UPGRADE,
)
CONTROL_PLANE_LABEL = Rule(
    "control-plane-label",
    "a host that runs a control plane has the control-plane label and static pods that the API shows",
)
ETCD_LEARNER = Rule(
    "etcd-learner",
    "a member of etcd votes before its node is upgraded",
    "https://etcd.io/docs/latest/learning/design-learner/",
)
ETCD_ALARM = Rule("etcd-alarm", "etcd has no alarm before one of its members is restarted")
KUBE_PROXY_RETURNS = Rule(
    "kube-proxy-returns",
    "with the last control plane, kubeadm installs kube-proxy again, also where it was removed",
    f"{_KUBEADM_CONFIG}#kubeadm-k8s-io-v1beta4-Proxy",
)
COREDNS_RETURNS = Rule(
    "coredns-returns",
    "with the last control plane, kubeadm installs CoreDNS again, also where it was removed, and replaces "
    "any other Service kube-dns",
    f"{_KUBEADM_CONFIG}#kubeadm-k8s-io-v1beta4-DNS",
)
REMOVED_FLAG = Rule(
    "removed-flag", "a component does not start with a flag that it does not know", _REFERENCE
)
REMOVED_FEATURE_GATE = Rule(
    "removed-feature-gate",
    "a component does not start with a feature gate that it does not know, or that is locked to the other "
    "value",
    f"{_REFERENCE}feature-gates-removed/",
)
NO_SYSTEMD = Rule("no-systemd", "systemd runs the kubelet, and the work of an upgrade on its node")
NOT_READY = Rule("not-ready", "a node is Ready before it is upgraded")
DISK_FULL = Rule(
    "disk-full", "there is space for the packages, the images, and kubeadm's copy of etcd's data"
)
SNAPSHOT_FILE = Rule(
    "snapshot-file", "the snapshot of etcd is written to a new file in a directory that exists"
)
ADDON_BEHIND = Rule(
    "addon-behind", "kubeadm upgrades kube-proxy and CoreDNS with the last control plane", _KUBEADM_UPGRADE
)
ADDON_ROLLOUT = Rule(
    "addon-rollout", "the kube-proxy and the CoreDNS that kubeadm has rolled out are seen at work"
)

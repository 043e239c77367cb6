"""The rules that versions are judged by, each with its place in upstream's text."""

from kubectl_admin.finding import Rule
from kubectl_admin.versions.policy import APISERVER_OLDER, CONTROLLER_OLDER, KUBECTL_APART, KUBELET_OLDER

_POLICY = "https://kubernetes.io/releases/version-skew-policy/"

APISERVER_SKEW = Rule(
    "apiserver-skew",
    f"API servers must be at most {APISERVER_OLDER} minor apart",
    f"{_POLICY}#kube-apiserver",
)
KUBELET_SKEW = Rule(
    "kubelet-skew",
    f"a kubelet must not be newer than any API server, nor more than {KUBELET_OLDER} minors older",
    f"{_POLICY}#kubelet",
)
KUBE_PROXY_SKEW = Rule(
    "kube-proxy-skew",
    f"a kube-proxy must not be newer than any API server, nor more than {KUBELET_OLDER} minors older",
    f"{_POLICY}#kube-proxy",
)
KUBE_PROXY_KUBELET_SKEW = Rule(
    "kube-proxy-kubelet-skew",
    f"a kube-proxy must be at most {KUBELET_OLDER} minors older or newer than the kubelet of its node",
    f"{_POLICY}#kube-proxy",
)
CONTROLLER_SKEW = Rule(
    "controller-skew",
    f"controllers must not be newer than the API servers they talk to, nor more than "
    f"{CONTROLLER_OLDER} minor older",
    f"{_POLICY}#kube-controller-manager-kube-scheduler-and-cloud-controller-manager",
)
KUBECTL_SKEW = Rule(
    "kubectl-skew",
    f"kubectl must be at most {KUBECTL_APART} minor older or newer than every API server",
    f"{_POLICY}#kubectl",
)

SOURCES_DISAGREE = Rule(
    "sources-disagree", "the version that runs and the version that is written down are the same"
)
RESTART_PENDING = Rule("restart-pending", "a node runs the version that is installed on it")
NO_ANSWER = Rule("no-answer", "every instance is asked which version it runs")
NOT_JUDGED = Rule("not-judged", "an instance without a version can't be held against the policy")
UNREACHABLE = Rule("unreachable", "every cluster of the comparison answers")

SUPPORT_UNKNOWN = Rule("support-unknown", "each minor is supported for about fourteen months")
SUPPORT_ENDED = Rule(
    "support-ended",
    "each minor gets patches for about fourteen months",
    "https://kubernetes.io/releases/patch-releases/",
)
PATCH_BEHIND = Rule(
    "patch-behind", "run the latest patch of a minor", f"{_POLICY}#supported-component-upgrade-order"
)

ETCD_TOO_OLD_TO_UPGRADE = Rule(
    "etcd-too-old-to-upgrade",
    "every etcd member has reached the version that the step to the next minor of etcd starts from",
    "https://etcd.io/docs/latest/upgrades/",
)
CONTAINERD_UNTESTED = Rule(
    "containerd-untested",
    "use a containerd that is tested with the minor",
    "https://github.com/containerd/containerd/blob/main/RELEASES.md",
)
KERNEL_UNSUPPORTED = Rule(
    "kernel-unsupported",
    "the kernel is one that kubeadm's system check accepts",
    "https://github.com/kubernetes/system-validators",
)
CGROUP_V1 = Rule(
    "cgroup-v1",
    "since 1.35 a kubelet starts on cgroup v1 only with failCgroupV1: false in its configuration",
    "https://kep.k8s.io/5573",
)
RUNTIME_SUPPORT_ENDS = Rule(
    "runtime-support-ends",
    "the kubelet reports when it will no longer work with this container runtime",
    "https://kep.k8s.io/4033",
)

"""The rules by which running configurations are compared, where somebody asks for it."""

from kubectl_admin.finding import Rule

CONFIGURATIONS_DIFFER = Rule(
    "configurations-differ", "two nodes that were compared run a component with the same configuration"
)
NOT_AS_WRITTEN = Rule(
    "not-as-written",
    "a component runs with what its ConfigMap says; kubeadm writes that to the node with the next upgrade",
    "https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-reconfigure/",
)

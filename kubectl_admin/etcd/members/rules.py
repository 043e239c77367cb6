"""The rules that a cluster's etcd is judged by; those on alarms are in etcd/rules.py."""

from kubectl_admin.etcd.members.facts import LAG
from kubectl_admin.etcd.rules import CORRUPTION, MAINTENANCE
from kubectl_admin.finding import Rule

FAILURES = "https://etcd.io/docs/latest/op-guide/failures/"
RECOVERY = "https://etcd.io/docs/latest/op-guide/recovery/"
RECONFIGURATION = "https://etcd.io/docs/latest/op-guide/runtime-configuration/"
LEARNERS = "https://etcd.io/docs/latest/learning/design-learner/"
UPGRADES = "https://etcd.io/docs/latest/upgrades/"
DOWNGRADES = "https://etcd.io/docs/latest/downgrades/"
TUNING = "https://etcd.io/docs/latest/tuning/"
KUBEADM_RESET = "https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-reset/"

# The cluster as a whole.
CLUSTERS_DIFFER = Rule("clusters-differ", "all members belong to one cluster", RECOVERY)
CLUSTER_NO_ANSWER = Rule(
    "cluster-no-answer", "a cluster with a quorum gives its list of members and its alarms", FAILURES
)
QUORUM_LOST = Rule("quorum-lost", "a majority of the voting members is up", FAILURES)
NO_SPARE_MEMBER = Rule("no-spare-member", "one member may fail without harm", f"{FAILURES}#majority-failure")
NO_LEADER = Rule("no-leader", "every member knows the leader; without one nothing can be written", FAILURES)
LEADERS_DIFFER = Rule("leaders-differ", "all members follow the same leader")
VERSIONS_DIFFER = Rule(
    "versions-differ", "members have the same version unless an upgrade is under way", UPGRADES
)
ETCD_DOWNGRADE = Rule("etcd-downgrade", "a downgrade of etcd is finished or cancelled", DOWNGRADES)
APISERVER_USES_ANOTHER_ETCD = Rule(
    "apiserver-uses-another-etcd", "the API servers use the etcd that runs in the cluster"
)
# For changes that restart a member: an upgrade, a renewal of certificates.
ETCD_QUORUM = Rule("etcd-quorum", "the other members are a quorum while one is restarted", FAILURES)

# Single members, pods and nodes.
MEMBER_DOWN = Rule("member-down", "every member answers", FAILURES)
POD_WITHOUT_MEMBER = Rule(
    "pod-without-member", "every etcd pod runs a member of the cluster's list", RECONFIGURATION
)
POD_NO_ANSWER = Rule("pod-no-answer", "every member answers in its own pod")
LEARNER_NOT_PROMOTED = Rule(
    "learner-not-promoted", "a new member is promoted as soon as it has caught up, as kubeadm does", LEARNERS
)
MEMBER_WITHOUT_NODE = Rule("member-without-node", "every member runs on a control-plane node", KUBEADM_RESET)
NODE_WITHOUT_MEMBER = Rule("node-without-member", "every control-plane node runs a member")
POD_NOT_OF_CONTROL_PLANE = Rule(
    "pod-not-of-control-plane",
    "etcd and API servers are static pods of control-plane nodes; the labels of a pod prove nothing",
)

# Data.
HASHES_DIFFER = Rule("hashes-differ", "all members have the same data at the same revision", CORRUPTION)
NEAR_QUOTA = Rule(
    "near-quota", "a database that reaches its quota takes no more writes", f"{MAINTENANCE}#space-quota"
)
FRAGMENTED = Rule(
    "fragmented",
    "only defragmentation returns the space that compaction frees to the disk",
    f"{MAINTENANCE}#defragmentation",
)
BEHIND = Rule("behind", f"members are at most {LAG} raft entries behind", TUNING)

"""The rules that a drain and its end are judged by."""

from kubectl_admin.finding import Rule

_PDB = "https://kubernetes.io/docs/tasks/run-application/configure-pdb/"

REFUSED_DAEMONSET = Rule(
    "refused-daemonset",
    "a DaemonSet would recreate its pods at once: leave them in place with --ignore-daemonsets",
)
REFUSED_DAEMONSET_GONE = Rule(
    "refused-daemonset-gone", "nothing recreates a pod whose DaemonSet is gone: evict it only with --force"
)
REFUSED_EMPTYDIR = Rule(
    "refused-emptydir",
    "data in an emptyDir is lost with its pod: evict such a pod only with --delete-emptydir-data",
)
REFUSED_NO_CONTROLLER = Rule(
    "refused-no-controller", "nothing recreates a pod without a controller: evict it only with --force"
)
SEVERAL_BUDGETS = Rule(
    "several-budgets",
    "the eviction API refuses a pod that more than one budget selects",
    "https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/",
)
BUDGET_NEVER_MET = Rule("budget-never-met", "an eviction needs a budget that can spare a pod", _PDB)
BUDGET_NOT_YET = Rule(
    "budget-not-yet",
    "an eviction waits until the budget can spare a pod",
    f"{_PDB}#unhealthy-pod-eviction-policy",
)
NODE_NOT_READY = Rule(
    "node-not-ready",
    "every node is Ready: its kubelet reports regularly that it can run pods",
    "https://kubernetes.io/docs/reference/node/node-status/",
)
DATABASE_ALONE = Rule(
    "database-alone", "a database stays reachable as long as another instance can take over"
)
PRIMARY = Rule("primary", "clients of a database are disconnected while its primary moves")
BEFORE_THE_NEXT_NODE = Rule(
    "before-the-next-node", "data is safe only as long as enough members of its cluster are up"
)
DOWN_MEANWHILE = Rule("down-meanwhile", "a workload stays up as long as it has a ready pod on another node")
NOWHERE_TO_GO = Rule("nowhere-to-go", "an evicted pod needs another node that can run it")
LOST = Rule("lost", "the given flags allow the loss of data and of pods that nothing recreates")
CAME_MEANWHILE = Rule("came-meanwhile", "a drained node has none of the pods that a drain removes")
MOVED_UNHEALTHY = Rule("moved-unhealthy", "workloads that a drain has moved are healthy again")

"""The rules on leftovers of killed runs on nodes."""

from kubectl_admin.finding import Rule

HOST_NOT_READ = Rule("host-not-read", "the host of every node is looked at")
MANY_DIRECTORIES = Rule("many-directories", "all directories of a node are shown")
HALF_WAY_UPGRADE = Rule(
    "half-way-upgrade",
    "a record stays that an upgrade needs to resume, and to put back holds, repositories and packages",
)
RESTORE_THERE = Rule(
    "restore-there",
    "a restore of etcd stays until etcd-restore removes it: its directory says where a node's data are",
)
NOT_REMOVED = Rule("not-removed", "nothing of this tool is left in the cluster that nobody uses")

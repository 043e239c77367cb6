"""The verbs: one thin module each, options in, one call, a report out.

A verb is loaded only when it runs; its line in the program's help is therefore here.
"""

# A person's wish -> verb -> its line in the help. The module has the verb's name, and its command is
# `command`.
GROUPS = {
    "Look": {
        "health": "Ask every component at its own endpoint, and show what is wrong.",
        "skew": "Show what runs where, whether the skew policy allows it, and what comes next.",
        "certs": "Show every certificate of the cluster, on disk and as served, and what expires first.",
        "etcd-status": "Show the members of etcd, who leads, how full they are, whether their data agrees.",
        "configz": "Show the configuration that a node's components run with, and where it differs.",
        "metrics": "Show the metrics of a node's component.",
    },
    "Change": {
        "drain": "Empty a node: cordon it, let databases move, and evict its pods.",
        "drain-upgrade": "Upgrade one node: packages, kubeadm, then drain it and upgrade its kubelet.",
        "uncordon": "Make a drained node schedulable again, and wait until moved workloads are healthy.",
    },
    "Keep and come back": {
        "backup": "Save all that brings the cluster back into one encrypted archive.",
        "etcd-snapshot": "Take a snapshot of etcd, verified, into a file here.",
        "etcd-verify": "Verify a snapshot of etcd on this machine, and show what it holds.",
        "etcd-diff": "Show the objects in which two snapshots of etcd differ, on this machine.",
        "etcd-open": "Look into a snapshot of etcd as into a cluster, with kubectl or any client.",
        "etcd-undelete": "Bring single objects, or a namespace, back out of a snapshot of etcd.",
        "etcd-restore": "Restore etcd of the whole control plane from a snapshot.",
    },
    "Tools": {
        "node-exec": "Run a command on a node's host.",
        "cleanup": "Remove debug pods, directories and jobs left behind by killed runs.",
        "version": "Print the version of this program and of the cluster.",
        "completion": "Set up completion in the shell.",
        "options": "List the global options, which every verb takes.",
    },
}
VERBS = {verb: line for verbs in GROUPS.values() for verb, line in verbs.items()}

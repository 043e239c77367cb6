"""The verbs: one thin module each, options in, one call, a report out.

A verb is loaded only when it runs; its line in the program's help therefore stands here.
"""

# verb -> its line in the help. The module bears the verb's name, and in it stands the command `command`.
VERBS = {
    "skew": "Show what runs where, whether the skew policy allows it, and what comes next.",
    "etcd-status": "Show the members of etcd, who leads, how full they are, whether their data agrees.",
    "etcd-snapshot": "Take a snapshot of etcd, proven good, into a file here.",
    "etcd-verify": "Verify a snapshot of etcd on this machine, and show what it holds.",
    "certs": "Show every certificate of the cluster, on disk and as served, and what ends first.",
    "drain-upgrade": "Upgrade a node: packages, kubeadm, and, drained, its kubelet.",
    "drain": "Empty a node: cordon it, let databases move, and evict its pods.",
    "uncordon": "Take a drained node back, and wait until what was moved is healthy.",
    "node-exec": "Run a command on a node's host.",
    "cleanup": "Remove what runs that were killed have left in the cluster.",
    "version": "Print the version of this program and of the cluster.",
    "completion": "Set up completion in the shell.",
}

"""Certificates renewed node by node, the previous ones backed up, and restored if need be.

Read in this order: facts, gather, plan and work (for both ways of renewing), kubeadm (renews on
control planes, and rolls back), kubelet (has kubelets rotate theirs), report, kubeconfig (the user's own),
changes (the table of all of these).
"""

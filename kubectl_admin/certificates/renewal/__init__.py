"""Certificates renewed node by node, what was there kept, and brought back if need be.

Read in this order: facts, gather, plan and work (what both ways of renewing share), kubeadm (renews on
control planes, and rolls back), kubelet (has kubelets rotate theirs), report, kubeconfig (the user's own).
"""

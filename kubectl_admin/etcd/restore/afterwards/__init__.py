"""The work once the restored API answers, part by part.

Reading order:
- facts: a part that is done, or not
- present: that this is the restored cluster; leaders: the Leases of the past; past: its debug pods
- webhooks: those with nobody behind them, ignored for the time of the restore
- nodes: Node objects of nodes that joined, and nodes that have left
- members: etcd itself; kubelets: restarted, and their pods; volumes: storage and its objects
- after: all of them in order
"""

"""Real Kubernetes on this machine. Reading order: nodes/lab, nodes/cluster, nodes/node, then as needed.

`recipes` builds the parts of a lab, `nodes` makes clusters of containers and breaks them on request, `api`
makes clusters of an API server and etcd alone.
"""

"""A restore on the hosts of control planes.

Reading order:
- steps: the table by which the nodes agree, each by itself, while no API server runs
- manifests, plan: what a node's worker must know
- status, survey: how far a restore is on a host, and what a host has
- prepare, arm: all that is brought to the hosts, and how it is armed, removed and pruned
- prune: of all nodes; node_report: how far each node is
"""

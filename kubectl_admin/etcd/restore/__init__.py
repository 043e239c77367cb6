"""A cluster's etcd brought back to a snapshot, on all control planes at once.

Reading order:
- facts: a snapshot, the running cluster, and what the person forces
- gather: asks the cluster; snapshot: reads the file; authorities: told by their fingerprints
- rules, judge: whether the one may be restored into the other
- consequences: what it means for nodes, volumes, webhooks and databases
- record, before: the state before it, on the operator's disk
- steps: the table by which the nodes agree, each by itself, while no API server runs
- manifests, plan: what a node's worker must know
- status, survey: how far a restore is on a host, and what a host has
- prepare, arm: all that is brought to the hosts, and how it is armed, removed and pruned
- keys: what the nodes write in etcd; unchanged: seen right before go, the word to begin;
  follow: until the end is seen
- after, afterwards: the work once the restored API answers
- look, restore, resume, prune: each as the verb calls it
- report: plan and outcome; node_report: how far each node is

Outsiders use the last two lines, and before.
"""

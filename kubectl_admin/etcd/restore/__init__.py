"""A cluster's etcd brought back to a snapshot, on all control planes at once.

Reading order:
- look: a snapshot and the running cluster, side by side
- rules, judge: whether the one may be restored into the other
- consequences: what it means for nodes, volumes, webhooks and databases
- record, before: the state before it, on the operator's disk
- on_nodes: all that is brought to the hosts, how they agree by themselves, and how far each is
- keys: what the nodes write in etcd; unchanged: seen right before go, the word to begin;
  follow: until the end is seen
- afterwards: the work once the restored API answers
- local: a restore by each node itself, where no API is there to be asked
- restore, resume: each as the verb calls it; report: plan and outcome

Outsiders use the last line, look.look, on_nodes, local and before.
"""

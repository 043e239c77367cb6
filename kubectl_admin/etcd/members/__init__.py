"""The members of a cluster's etcd: who they are, how each is, and whether their data agrees.

Reading order:
- flags: a member's flags, and how it is reached by them; pods: the static pods of etcd, and the etcd that
  the API servers use
- etcdctl: the questions to a member, and its answers as data
- facts: members, and the state of them all
- gather: asks every member; match puts pods and members together, hashes compares their data
- rules, judge: the findings
- report

Outsiders use gather, facts, rules, and for the verb judge and report.
"""

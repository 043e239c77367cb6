"""etcd: its members, its state, and the format of its snapshots.

Reading order:
- members: the state of a cluster's etcd, judged
- snapshot: a snapshot as a file, verified without a cluster
- stored: objects as the API server stores them, as plain data
- diff: two snapshots as files, and the objects in which they differ
- save: a snapshot saved by a member, downloaded and verified
- past: a snapshot opened as a cluster of its own, to look into
- undelete: single objects brought back out of one
- restore: all control planes brought back to a snapshot
- rules: the rules on alarms, which members raise and snapshots keep
"""

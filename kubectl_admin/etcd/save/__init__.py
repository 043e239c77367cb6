"""A snapshot saved by a member of etcd, downloaded and verified.

Reading order:
- choose_member: from which member, and how it is reached
- on_host: etcdctl saves it on the member's node, and it is downloaded piece by piece
- save: the whole, into a file that is verified before it is renamed into place
- report

Outsiders use save and report.
"""

"""The members of a cluster's etcd: who they are, how each is, and whether their data agrees."""

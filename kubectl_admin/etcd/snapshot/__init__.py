"""A snapshot of etcd as a file: whether it is whole, and what it holds. Needs no cluster and no etcd."""

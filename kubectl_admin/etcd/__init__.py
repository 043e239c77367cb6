"""etcd: its members, its state, and the format of its snapshots."""

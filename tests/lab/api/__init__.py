"""Labs of nothing but an API: etcd and API servers as processes, objects for all else."""

"""A cluster's etcd brought back to a snapshot, on all control planes at once.

Reading order:
- steps: the table by which the nodes agree, each by itself, while no API server runs
"""

"""A cluster's certificates: the inventory, on disk and as served; requests for new ones; renewal.

Read in this order: der, x509, facts, inventory (finds and lists them), judge with rules, renewable and
renewal (renews them node by node), requests (judges and approves kubelets' signing requests).
"""

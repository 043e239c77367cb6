"""Certificates that kubeadm renews on control-plane nodes.

Read in this order: gather, backups, plan, rollback, work, in_use.
"""

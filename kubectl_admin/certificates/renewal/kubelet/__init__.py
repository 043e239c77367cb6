"""Certificates that kubelets rotate by themselves, rotated now. Read in this order: gather, plan,
work, approval (of the request that a rotation makes).
"""

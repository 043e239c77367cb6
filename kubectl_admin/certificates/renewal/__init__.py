"""Certificates renewed node by node with kubeadm, what was there kept, and brought back if need be."""

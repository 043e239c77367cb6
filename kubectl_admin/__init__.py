"""kubectl-admin: day-2 work on kubeadm clusters from a kubeconfig alone."""

__version__ = "0.1.0"

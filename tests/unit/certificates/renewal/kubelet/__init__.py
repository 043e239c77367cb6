"""Kubelets asked for new certificates, without a cluster."""

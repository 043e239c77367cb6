"""Kubelets that get their certificates now, node by node, where by themselves they would later."""

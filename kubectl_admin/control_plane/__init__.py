"""The control plane as kubeadm runs it: which pods are its static pods, and what their flags say."""

"""The control plane as kubeadm runs it: its static pods, what their flags say, and who changes it."""

"""The control plane as its static pods show it, and the right to change it.

Read in this order:
component: names and ports
static_pods: which pods are genuine
pod, flags: one of them, and its flags
probes: where it says how it is
endpoints: the loopback of a node
metrics: a process' own metrics
one_at_a_time: who may change a control plane
"""

"""Versions: which run where, whether the skew policy and upstream support them, and the next step.

Reading order:
- version: a version as text, and how versions are compared
- facts: instances of components, with the evidence for the version of each
- gather: the facts of one cluster, from processes, kube_proxy, kubeadm_config and kubectl;
  hosts adds the versions on the nodes' disks
- policy: the numbers of the version skew policy; breaches: where the facts break it
- upstream: the dated table of support and requirements; requirements: which of them a cluster does not meet
- rules, judge: the findings
- upgrade_path: the stages to another minor
- report, fleet: one cluster, several clusters
- skew: the whole, as the verb calls it

Outsiders use skew with kubectl, hosts and upstream. An upgrade uses version, facts, gather, processes,
upstream, requirements, breaches and judge.
"""

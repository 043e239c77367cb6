"""The upgrade of a node: its state, what forbids the upgrade, the steps, and the work itself.

Read in this order:
facts, gather: what the cluster and the host say; packages, unit, patches are parts of the host's answer
target, plan: which version a node goes to, and by which steps
next_start: the settings that the components read at their next start
preflight with rules, machine, removed, snapshot: what forbids the upgrade
inspection: all of these together; nothing is touched
apply, actions: the work, step by step
live, host_jobs: the node as the steps change and see it; host_jobs runs its scripts on the host
readiness, addon_facts, addons, rollout: whether the node, kube-proxy and CoreDNS are well
status, progress, report: how it is shown

Other rooms use apply, inspection, live, status and report:

    with apply.open_host(hosts, node, skipped=options.skipped, doing=True) as host:
        seen = apply.inspect_when_reachable(Source.of(cluster, host, options), options, say)
        apply.upgrade(LiveNode(cluster, host, seen, options, progress, watch), check=…)
"""

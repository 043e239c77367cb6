"""A restore of etcd where no API server answers, or etcd has no majority: on each control plane, by itself.

All work on a node is one script (scripts/restore-local.sh), printed to be carried there, or run on this host.

Reading order:
- settings: what every node must know; bump and id, on which all nodes agree without talking
- script: the script, with all its parts
- facts: this host and its own data; look: both judged against a snapshot
- run: the script run on this host
- report: plan and outcome

Outsiders use all but facts.
"""

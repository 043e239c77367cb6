"""A snapshot opened as a cluster of its own, in which everybody may look and nobody change anything.

Reading order:
- facts, encrypted, gather: a snapshot file, and a machine that may open it
- rules, judge: whether it can be opened there
- certificates, policy, flags: keys of this opening alone, who may do what, the programs' command lines
- programs: their versions, and how they have ended
- kubeconfig, ready, opened: how it is reached, when it answers, what of it can't be read
- local: on this machine
- survey, heartbeat, tunnel, on_node: on a control-plane node
- command, use: by whom it is used

scripts/past-run.sh runs the programs, wherever that is, and leaves nothing of them.
"""

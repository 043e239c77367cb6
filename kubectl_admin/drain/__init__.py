"""Emptying a node: which pods leave it, why one does not, and how they are moved without harm.

For what drains a node on its way to something else:

    seen = drain.look(cluster, node, options)      # the facts, judged; nothing is touched
    drain.is_possible(seen, options)               # whether it may begin; report.report(seen) says why not
    drain.drain(cluster, seen, options, progress)  # cordons, moves; takes its cordon back if it fails
    recovery.recover(cluster, node, progress, …)   # Ready, uncordoned, what was moved healthy again
"""

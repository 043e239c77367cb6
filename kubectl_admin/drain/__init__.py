"""Emptying a node: which pods leave it, why one does not, and how they are moved without harm.

Read in this order:
facts, read, gather: pods, budgets and workloads, as the API has them
rights: those that a user needs
filters, budgets, stateful, placement, labels, quantity: one question about a pod each
preview, judge with rules, report: the plan of a drain, and what forbids it
drain: a drain from its preview to its end
cordon, node_watch, primaries, evict, board, answers, workers: its parts
recovery, outcome, progress: the node taken back, and how it is shown

For a verb that drains a node on its way to something else:

    seen = drain.look(cluster, node, options)      # the facts, judged; nothing is touched
    drain.is_possible(seen, options)               # whether it may begin; report.report(seen) says why not
    drain.drain(cluster, seen, options, progress)  # cordons, moves; takes its cordon back if it fails
    recovery.recover(cluster, node, progress, …)   # Ready, uncordoned, moved workloads healthy again
"""

"""What `health` says of a cluster that is broken in one way at a time.

Read in this order:
cases: every way, and what must be said of it: a row a case
breaks: how a lab is broken, each with its mending
edits: the same for manifests and configurations on nodes
trial: one case tried on a lab
quiet: looks at a lab that nobody has broken
"""

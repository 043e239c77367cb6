"""Restores that are broken in one way at one moment, and how each has ended.

Read in this order:
cases: every way, the moment, and the ends that are allowed: a row a case
breaks: how a restore is broken, each with its mending
watch: the journals of nodes, and the API, looked at all along
objects: those of the snapshot and those of now, and whether all members of etcd have the same
clients: who reads them all along, and may never be given one of the future as current
trial: one case tried on a lab
table: how all cases have ended when they were last run, as docs/lab.md has it
"""

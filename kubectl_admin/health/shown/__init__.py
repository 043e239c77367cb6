"""A look at a cluster as it is shown. Pure.

Read in this order:
ignore: findings that are set aside
matrix: a row a node
report, prometheus: the whole report, and as metrics
explain: a rule by itself
"""

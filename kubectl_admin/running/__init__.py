"""A component as it runs: its configuration, flags and metrics, by its own word at its own endpoint.

Read in this order:
facts: what a component says of itself
decode: its answers to /configz, /flagz and /statusz
gather: asks a node's components
compare, rules: two nodes, or a node and what was written for all
metrics: families, histograms and their quantiles
report: what is shown of all that
"""

"""A component as it runs: its configuration, flags and metrics, by its own word at its own endpoint.

Read in this order:
facts: a component by its own word
decode: its answers to /configz, /flagz and /statusz
gather: asks a node's components
compare, rules: two nodes, or a node and the settings for all
metrics: families, histograms and their quantiles
report: how all that is shown
"""

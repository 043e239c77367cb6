"""Several looks at a cluster: until all is well, as a picture that moves, or against an earlier one.

Read in this order:
changes, record: the differences from an earlier look
compare: records in files
flapping: what changes again and again
window: the time between two looks, for rates
wait: until all is well
picture, watch: again and again, on a terminal
"""

"""Asks the API for objects, and components at their ports; what has no answer has a reason.

Read in this order:
pods: a pod of the facts, from its object
questions: where the components of a node serve, and what they are asked there
listing, listed, nodes: what has to be known before anything is asked, and what is made of it
contact: connections that answer, before anything is listed
choice: which nodes of a large cluster are asked
ask, exchange, instances: asks one node, one port of it, and API servers through another one
from_host: asks through a debug pod on the node what no forwarded port leads to
second_look: metrics once more, for rates
resolvers, dns: asks the cluster's DNS
silence, unseen: why a question has no answer, and what the user may not ask
clock, reading, judged_metrics: what answers say of clocks, and the metrics that are judged
objects, read: asks for the API's objects that are judged, and what is kept of them
"""

"""Asks the API for objects, and components at their ports; a question without an answer has a reason.

Read in this order:
pods: a pod of the facts, from its object
questions: where the components of a node serve, and the questions to them
listing, listed, nodes: facts that are needed before anything is asked, and their use
contact: connections that answer, before anything is listed
choice: which nodes of a large cluster are asked
ask, exchange, instances: asks one node, one port of it, and API servers through another one
from_host: asks components that no forwarded port leads to, through a debug pod on the node
second_look: metrics once more, for rates
resolvers, dns: asks the cluster's DNS
silence, unseen: why a question has no answer, and questions that the user may not ask
clock, reading, judged_metrics: clocks by their answers, and the metrics that are judged
objects, read: asks for the API's objects that are judged, and keeps a part of them
"""

"""Every component of a cluster, asked at its own endpoint: what answers, what does not, and what that means.

Read in this order:
facts: what was asked, and what came of it
object_facts: the API's objects that are judged beside the components
pods: a pod of the facts, from its object
questions: where the components of a node serve, and what they are asked there
gather: gathers all facts
listing, listed, nodes: what has to be known before anything is asked, and what is made of it
choice: which nodes of a large cluster are asked
ask, exchange, instances: asks one node, one port of it, and API servers through another one
resolvers, dns: asks the cluster's DNS
silence, unseen: why a question has no answer, and what the user may not ask
clock, reading, judged_metrics: what answers say of clocks, and the metrics that are judged
objects, read: asks for those objects, and what is judged of them
ages: how old a time is that another machine's clock wrote
containers, leaders, signs: what the API's objects tell of components and nodes
checks: the checks behind an answer of /livez, /readyz and /healthz
states: the state of one component on one node
judged_metrics, series: the metrics that are judged, and how they move between two looks
etcd_state: etcd as its metrics tell it, for the judge of its members
rules, judge: the findings
ignore: findings that are set aside
look: all of one look at a cluster, judged
matrix: a row a node
report, prometheus: the whole report, and as metrics
explain: a rule by itself
changes, record: what is another way than in an earlier look
compare: records in files
window: the time between two looks, for rates
wait, watch, picture: looks again and again, until all is well or as a picture
run: one run of health
"""

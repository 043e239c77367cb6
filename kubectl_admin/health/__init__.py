"""Every component of a cluster, asked at its own endpoint: which answer, which do not, and what that means.

Read in this order:
facts: the questions and their answers
flaps: what has changed how often from look to look
object_facts: the API's objects that are judged beside the components
asking: listings, and questions to nodes, ports and the cluster's DNS
gather: gathers all facts
components: the state of one component on one node, by the evidence
rules, judge: the findings
look: all of one look at a cluster, judged
shown: a look as a matrix, a document, metrics
again: looks again and again: to wait, to watch, to compare
run: one run of health
"""

"""Every component of a cluster, asked at its own endpoint: what answers, what does not, and what that means.

Read in this order:
facts: what was asked, and what came of it
flaps: what has changed how often from look to look
object_facts: the API's objects that are judged beside the components
asking: what is listed, and what is asked of nodes, ports and the cluster's DNS
gather: gathers all facts
components: the state of one component on one node, by the evidence
rules, judge: the findings
look: all of one look at a cluster, judged
shown: a look as a matrix, a document, metrics
again: looks again and again: to wait, to watch, to compare
run: one run of health
"""

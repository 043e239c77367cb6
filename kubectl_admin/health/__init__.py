"""Every component of a cluster, asked at its own endpoint: what answers, what does not, and what that means.

Read in this order:
facts: what was asked, and what came of it
object_facts: the API's objects that are judged beside the components
pods: a pod of the facts, from its object
ignore: findings that are set aside
"""

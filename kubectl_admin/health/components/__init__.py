"""The state of one component on one node, by the evidence. Pure.

Read in this order:
ages: how old a time is that another machine's clock wrote
containers, leaders, signs: components and nodes by the API's objects
checks: the checks behind an answer of /livez, /readyz and /healthz
verdict, states: the state of one component on one node
series: how metrics move between two looks
etcd_state: etcd as its metrics tell it, for the judge of its members
"""

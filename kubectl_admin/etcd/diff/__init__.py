"""Two snapshots of etcd compared: the objects in which they differ. Needs no cluster and no etcd.

Reading order:
- facts: objects, how they differ, the comparison
- rules, judge: how an object differs, and the findings
- pairs: which keys differ; entries: those read again, counted, and made into objects where they are listed
- collection: many differences in order, in little memory
- compare: the whole, as the verb calls it
- report, document

Outsiders use compare, facts and report.
"""

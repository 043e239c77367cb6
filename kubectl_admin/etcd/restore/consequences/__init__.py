"""What a restore means for nodes, volumes, webhooks and databases: objects of the snapshot and of now.

Reading order:
- rules; facts: one side, the snapshot's or the live one
- read: facts out of objects; collect: a side, object by object in any order
- gather: the live side; stored: the snapshot's
- nodes, volumes, webhooks, workloads: judges of a part each
- judge: all of them

Outsiders use gather, stored, judge and facts.
"""

"""A look at a snapshot and at the running cluster, before anything is changed.

Reading order:
- facts: of both, and what the person forces
- gather: asks the cluster; snapshot: reads the file; authorities: told by their fingerprints
- look: all of it, judged, with a plan for each node
"""

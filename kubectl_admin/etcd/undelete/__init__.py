"""Single objects brought back out of a snapshot that is open as a cluster.

Reading order:
- facts: resources, objects as they were and as they are, the plan
- kinds: those that need a treatment of their own
- identity: by which an object is the same one, and unchanged
- select: which of them are asked for
- written, made, compare: an object as a person wrote it, those that controllers make, how two differ
- owners, volumes, order: which owners and volumes there are for what comes back, and which comes first
- unfinished: what an earlier run has not noted in what it has made
- settle, judge: what becomes of each of them, and the plan
- naming: how an object is named
- rules, findings: what can't be brought back, and what is to be known
- merge: a live object with its changed fields put back
- manifests, report: manifests, differences and the plan, as they are shown
- discovery, read, gather, around: asks both clusters
- send, rehearse: one object, sent; all of them, tried
- entries, journal: a journal of what is changed
- reserve, keep, batches, ends, complete, apply: makes what the plan has
- since, strangers, undo: whether it has changed since, and what of others would go with it; takes it back
- outcome: what has come of it
"""

"""A snapshot of etcd as a file: whether it is whole, and its content. Needs no cluster and no etcd.

Reading order:
- bolt: the file format of etcd's database; protobuf: the encoding of some values in it
- contents: entries of the small buckets, decoded; reading: all of them, read out of a file
- key_value: an entry of bucket «key»; keys: every entry, for --full
- latest: the last entry of each key, for whoever reads objects
- filekind: the name of a file that is not a snapshot
- facts: the snapshot, and the verdict on it
- rules, judge: the findings
- verify: the whole, as the verb calls it
- report

Outsiders use verify and report; save also facts. stored and diff read on in the database that verify has
opened.
"""

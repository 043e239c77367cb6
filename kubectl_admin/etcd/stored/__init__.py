"""Objects as the API server stores them in etcd: which object a key is, and its content as plain data.

Reading order:
- facts: a kind, an object by its key, a stored object
- kinds: which object a key is
- values: the content of a value without a look at all of it: encryption, UID, the kind that it defines
- tables: the fields of Kubernetes' own kinds; decode: a value made into plain data by them
- objects: the objects of a database, kind by kind
- encryption: encrypted values decrypted by an API server's configuration; secretbox: one of its ciphers

Needs no cluster and no etcd.
"""

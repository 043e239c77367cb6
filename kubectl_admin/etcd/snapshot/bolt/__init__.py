"""The file format of bbolt, etcd's database, read without trusting a single number in it.

Everything is read in pieces of a few MiB at most. Counts, lengths and page numbers may be anything: each is
held against the size of what contains it before it is used, a page is visited once, and nothing recurses.

Source of the format: etcd-io/bbolt internal/common/{page,meta,bucket,inode,types}.go.
"""

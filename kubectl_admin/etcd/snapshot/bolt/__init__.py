"""The file format of bbolt, etcd's database, read without trusting a single number in it.

Everything is read in pieces of a few MiB at most. Counts, lengths and page numbers may be anything: each is
held against the size of what contains it before it is used, a page is visited once, and nothing recurses.

Reading order:
- source: the file, read in pieces; format: headers and elements of pages
- meta: the two pages where everything begins; sweep: one pass over the file, for its sha256 and all headers
- pages: which pages are in use; leaf: the entries of one; freelist: the pages that are free
- buckets: where each begins; check: the order of all keys
- damage: a damaged place

Source of the format: etcd-io/bbolt internal/common/{page,meta,bucket,inode,types}.go.
"""

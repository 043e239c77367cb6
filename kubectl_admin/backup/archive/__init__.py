"""An archive as a file: written, and read again.

Read in this order:
write: piece by piece, in one go
source: where one is read from
read: its frame, and its pieces with their hashes
entries: the tar inside of a piece
extract: below a directory
verify: all of it, without a cluster
"""

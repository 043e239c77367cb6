"""A piece of an archive on its way: packed by zstd, and encrypted as age has it.

Read in this order:
packing: zstd, out and in, with limits
keys: recipients and identities
passphrase: a few bytes under one
pipe: a piece encrypted and decrypted while it passes
"""

"""A piece of an archive on its way: packed by zstd, and encrypted as age has it.

Read in this order:
packing: zstd, out and in, with limits
"""

"""The form of a page: its header, and the elements of branch and leaf pages.

Source: etcd-io/bbolt internal/common/{page,inode,bucket}.go.
"""

from struct import Struct

BRANCH, LEAF, META, FREELIST = 0x01, 0x02, 0x04, 0x10
NAMES = {BRANCH: "a branch", LEAF: "a leaf", META: "a meta page", FREELIST: "a list of free pages"}

HEADER = Struct("<QHHI")  # number, kind, count of elements, overflow: it spans so many pages more
# The elements follow the header; «pos» is where the key begins, counted from the element's own first byte.
BRANCH_ELEMENT = Struct("<IIQ")  # pos, bytes of the key, the page below
LEAF_ELEMENT = Struct("<IIII")  # flags, pos, bytes of the key, bytes of the value right behind it
CHILD = Struct("<8xQ")  # of a branch element the page alone
ELEMENT = 16  # bytes of either

BUCKET = 0x01  # flag of a leaf element whose value is a bucket
IN_BUCKET = Struct("<QQ")  # that value: root page, sequence; where the root is 0, a leaf page follows inline

"""Certificates of authorities in PEM texts, told by their fingerprints. Pure.

They are compared, and not understood: whatever Go makes of a certificate, the same bytes are the same one.
"""

import re
from base64 import b64decode
from hashlib import sha256

BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
MANY = 100  # of a bundle


def fingerprints(text: str) -> frozenset[str]:
    """The SHA-256, in hex, of each certificate in a text."""
    found = set()
    for block in BLOCK.findall(text)[:MANY]:
        try:
            found.add(sha256(b64decode("".join(block.split()), validate=True)).hexdigest())
        except ValueError:
            continue
    return frozenset(found)

"""A snapshot and a machine that may open it."""

from datetime import UTC, datetime
from pathlib import Path

from kubectl_admin.etcd.past.facts import Past, Place

MIB = 1 << 20
PAST = Past(
    path=Path("/backups/snapshot.db"),
    size=100 * MIB,
    sha256="0" * 64,
    has_hash=True,
    etcd="3.6.0",
    kubernetes="v1.36.3",
    cluster="7f3a09c2-0000-0000-0000-000000000000",
    moment=datetime(2026, 11, 30, 12, tzinfo=UTC),
    services=("10.96.0.0/12",),
    prefix="/registry",
)
PLACE = Place(
    name="node cp-1",
    memory=4096 * MIB,
    total=8192 * MIB,
    room=8192 * MIB,
    copies=1,
    etcd="3.6.8",
    kubernetes="1.36.3",
)

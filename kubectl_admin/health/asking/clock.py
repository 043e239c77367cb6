"""The lead of a node's clock over this machine's, by answers that say the time there. Pure."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta

from kubectl_admin.cluster.decode import decode_moment, mapping
from kubectl_admin.health.facts import Clock, Reply

SECOND = 1.0  # the Date header knows no parts of it


def clock_of(reply: Reply, ended: datetime) -> Clock | None:
    """The clock of whoever gave an answer that ended at this moment, by this machine's clock; None for none.

    The answer was written some time after it was asked for, and before it had come.
    """
    half = reply.seconds / 2
    middle = ended - timedelta(seconds=half)
    if exact := current_time(reply.text):
        return Clock((exact - middle).total_seconds(), half)
    if reply.date:
        return Clock((reply.date - middle).total_seconds() + SECOND / 2, half + SECOND / 2)
    return None


def current_time(text: str) -> datetime | None:
    """The moment in an answer of kube-proxy; None where it has none.

    Its `lastUpdated` says nothing. Source: kubernetes/kubernetes pkg/proxy/healthcheck/proxy_health.go.
    """
    if not text.startswith("{"):
        return None
    try:
        said = mapping(json.loads(text)).get("currentTime")
    except (ValueError, RecursionError):
        return None
    return decode_moment(said) if isinstance(said, str) else None


def best(clocks: Iterable[Clock]) -> Clock | None:
    """The most exact of several; None for none."""
    return min(clocks, key=lambda clock: clock.error, default=None)

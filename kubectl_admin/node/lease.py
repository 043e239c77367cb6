"""Who is at work: a Lease, so that a second operator's run is refused with the first one's name and time.

It is renewed while the work lasts, and nobody's any more when its process is known to have ended and does not
renew it, or when it was not renewed for its duration. How long that is, is counted by the API server's clock
alone: the clocks of two operators' machines may be minutes apart.

It ends with the process that holds it. Its work on hosts may keep running: see one_at_a_time.py.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from kubectl_admin.clock import Deadline
from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.decode import decode_moment
from kubectl_admin.cluster.errors import Conflict, NotFound
from kubectl_admin.cluster.retry import Retry
from kubectl_admin.errors import AdminError
from kubectl_admin.node.claim import DURATION, GROUP, LEASES, NAMESPACE, Claim, Holder
from kubectl_admin.node.operation import Owner
from kubectl_admin.report.text import duration
from kubectl_admin.signals import sheltered

RIGHTS = tuple(Right(verb, "leases", NAMESPACE, GROUP) for verb in ("get", "create", "update", "delete"))
CONTROL_PLANE = "kubectl-admin-control-plane"  # for whatever restarts parts of it: they share etcd
RENEW_INTERVAL = 5.0  # seconds between two renewals
SILENCE_GRACE = 10.0  # seconds without renewal that a process which seems to have ended must be seen
RETRY_INTERVAL = 5.0  # seconds until the next try, where the API server has not answered
REQUEST_TIMEOUT = 10.0  # seconds for an answer
RELEASE_TIMEOUT = 30.0  # seconds for which its release is tried: the API server may be restarting
TRIES = 5  # against others who write the same Lease


class Held:
    """A Lease that this process holds, renewed by a thread of its own."""

    def __init__(self, cluster: Cluster, claim: Claim, lease: Mapping[str, Any]) -> None:
        self._cluster, self._claim, self._lease = cluster, claim, lease
        self._lost: Holder | None = None
        self._lock = threading.Lock()
        self._over, self._left = threading.Event(), False
        self._expires = self._expiry()

    def check(self) -> None:
        """Raises AdminError, with their name, where somebody else has taken the Lease over, or may have.

        Asks the API server; where that does not answer, the Lease is good until it would have expired.
        """
        # Twice, since a Lease that somebody has written to is read first, and then renewed.
        renewed = self._renew() or self._renew()
        if not renewed and not self._lost and self._expires.left < 0:
            raise AdminError(
                f"lease {NAMESPACE}/{self._claim.name} could not be renewed for {duration(DURATION)}",
                "somebody else may work by now; this run changes nothing more: run the same command again",
            )
        if self._lost:
            raise AdminError(
                f"somebody else has taken over: {self._lost}",
                "this run changes nothing more; when theirs has ended, run the same command again to resume",
            )

    def keep_renewed(self) -> None:
        """Renews the Lease until it is released or lost; for a thread of its own."""
        wait = RENEW_INTERVAL
        while not self._over.wait(wait) and not self._lost:
            wait = RENEW_INTERVAL if self._renew() else RETRY_INTERVAL

    def leave(self, what: str) -> None:
        """Leaves the Lease as it is, saying what still runs: the next run looks there first."""
        self._over.set()
        self._left = True
        claim = replace(self._claim, about=f"{self._claim.about}; {what}")
        with self._lock, suppress(NotFound):
            for _ in range(TRIES):
                try:
                    self._cluster.put(claim.path, claim.taken(self._lease), timeout=REQUEST_TIMEOUT)
                    return
                except Conflict:
                    self._lease = self._cluster.get(claim.path, timeout=REQUEST_TIMEOUT)
                if not claim.is_mine(self._lease):
                    return

    def release(self) -> None:
        """Gives the Lease up, if it is still this process's; never deletes anybody else's."""
        if self._left:
            return
        self._over.set()
        with self._lock, suppress(NotFound):
            for _ in range(TRIES):
                metadata = self._lease["metadata"]
                known = {key: metadata[key] for key in ("uid", "resourceVersion")}
                options = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": known}
                try:
                    self._cluster.delete(self._claim.path, options, timeout=REQUEST_TIMEOUT)
                    return
                except Conflict:
                    self._lease = self._cluster.get(self._claim.path, timeout=REQUEST_TIMEOUT)
                if not self._claim.is_mine(self._lease):
                    return
            raise AdminError("other runs keep writing it")

    def _renew(self) -> bool:
        """Whether the API server has said whose the Lease is; it is renewed if it is still this process's."""
        with self._lock:
            try:
                if not self._lost and not self._over.is_set():
                    self._lease = self._cluster.put(
                        self._claim.path, self._claim.renewed(self._lease), timeout=REQUEST_TIMEOUT
                    )
                    self._expires = self._expiry()
            except (Conflict, NotFound):
                return self._look()
            except AdminError:
                return False
            return True

    def _look(self) -> bool:
        """Whether the API server has said whose the Lease is now; one that was deleted is made again."""
        try:
            present = self._cluster.get(self._claim.path, timeout=REQUEST_TIMEOUT)
        except NotFound:
            return self._make()
        except AdminError:
            return False
        holder = Holder.of(present)
        if holder and not self._claim.is_mine(present):
            self._lost = holder
            return True
        self._lease = present if holder else self._claim.taken(present)
        return False

    def _make(self) -> bool:
        try:
            self._lease = self._cluster.post(LEASES, self._claim.new(), timeout=REQUEST_TIMEOUT)
        except AdminError:
            return False
        self._expires = self._expiry()
        return True

    def _expiry(self) -> Deadline:
        """When a Lease that is renewed now expires."""
        return Deadline.after(DURATION, self._cluster.clock)


@contextmanager
def held(
    cluster: Cluster,
    name: str,
    owner: Owner,
    about: str,
    *,
    take_over: bool | None,
    say: Callable[[str], None],
) -> Iterator[Held]:
    """Inside, the Lease `name` in kube-system is this process's, and nobody's afterwards.

    about: what is done, for those who are refused («upgrades node w1 to 1.37.2»). take_over: whether it is
    taken from somebody who is still at work; None: nobody may ask for that. From one who has ended, or has
    not renewed it, it always is.
    say: is given a sentence on whom it was taken from, and on a Lease that could not be given up.

    Raises AdminError where somebody else holds it, naming them, or where the API server refuses.
    """
    claim = Claim(name, owner, about)
    with sheltered() as shelter:
        with shelter.exposed():
            acquisition = acquire(cluster, claim, take_over=take_over, say=say)
        mine = Held(cluster, claim, acquisition)
        try:
            with shelter.exposed():
                threading.Thread(target=mine.keep_renewed, name=f"lease {name}", daemon=True).start()
                yield mine
        finally:
            try:
                # Its holder may have restarted the only API server just now.
                patiently = Retry(RELEASE_TIMEOUT, say, settling=RELEASE_TIMEOUT, clock=cluster.clock)
                patiently(mine.release)
            except AdminError as error:
                what = f"lease {NAMESPACE}/{name} could not be released"
                say(f"{what}, and expires in {duration(DURATION)}: {error}")


def of_node(name: str) -> str:
    """The Lease for a change of a node outside of the control plane."""
    return f"kubectl-admin-upgrade-{name}"


def who(cluster: Cluster, name: str) -> Holder | None:
    """Who holds a Lease of that name, or was the last to; None where nobody does. Raises AdminError."""
    try:
        return Holder.of(cluster.get(f"{LEASES}/{name}", timeout=REQUEST_TIMEOUT))
    except NotFound:
        return None


def acquire(
    cluster: Cluster, claim: Claim, *, take_over: bool | None, say: Callable[[str], None]
) -> Mapping[str, Any]:
    """The Lease, when it has become the claim's. Raises AdminError where somebody else keeps it."""
    said = ""
    for _ in range(TRIES):
        try:
            present: dict[str, Any] = cluster.get(claim.path, timeout=REQUEST_TIMEOUT)
        except NotFound:
            present = {}
        try:
            if not present:
                made: dict[str, Any] = cluster.post(LEASES, claim.new(), timeout=REQUEST_TIMEOUT)
                return made
            holder = Holder.of(present)
            others = holder is not None and not claim.is_mine(present)
            reason = _reason(cluster, claim, holder, take_over=take_over) if holder and others else ""
            taken: dict[str, Any] = cluster.put(claim.path, claim.taken(present), timeout=REQUEST_TIMEOUT)
        except (Conflict, NotFound) as error:
            said = error.message
            continue  # another one was quicker, or the API server has something else against it
        if reason:
            say(f"lease {NAMESPACE}/{claim.name}, taken over: {reason}")
        return taken
    raise AdminError(
        f"lease {NAMESPACE}/{claim.name} could not be taken in {TRIES} tries: {said}", "try again in a minute"
    )


def _reason(cluster: Cluster, claim: Claim, holder: Holder, *, take_over: bool | None) -> str:
    """Why a Lease may be taken from somebody; raises AdminError where it may not."""
    if holder.has_ended() and _is_silent(cluster, claim, holder):
        return str(holder)
    if holder.has_expired(now := _server_time(cluster, claim)):
        return f"{holder}, and it is {now:%Y-%m-%d %H:%M:%SZ}"
    if take_over:
        return f"{holder}; that run stops at its next step"
    instead = "" if take_over is None else ", or take its place with --take-over"
    raise AdminError(
        f"lease {NAMESPACE}/{claim.name}: {holder}",
        f"wait for its end{instead}; the lease expires {duration(holder.duration)} after its last renewal",
    )


def _is_silent(cluster: Cluster, claim: Claim, holder: Holder) -> bool:
    """Whether nobody renews the Lease of a process that seems to have ended; as long as that takes to see."""
    if holder.renewed is None:
        return True
    passed = (_server_time(cluster, claim) - holder.renewed).total_seconds()
    if passed >= SILENCE_GRACE:
        return True
    cluster.clock.sleep(SILENCE_GRACE - max(passed, 0))
    later = Holder.of(cluster.get(claim.path, timeout=REQUEST_TIMEOUT))
    return later is None or (later.owner, later.renewed) == (holder.owner, holder.renewed)


def _server_time(cluster: Cluster, claim: Claim) -> datetime:
    """The API server's time: the creation of a Lease that is only tried."""
    body = claim.new()
    body["metadata"] = {"generateName": f"{claim.name}-", "namespace": NAMESPACE}
    tried = cluster.post(LEASES, body, [("dryRun", "All")], timeout=REQUEST_TIMEOUT)
    return decode_moment(tried["metadata"]["creationTimestamp"]) or datetime.now(UTC)

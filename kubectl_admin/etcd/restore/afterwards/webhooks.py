"""Webhooks of the snapshot that have nobody behind them: they refuse nothing for the time of the restore.

Each gets failurePolicy Ignore, and its configuration an annotation with the former one. That is the marker by
which it is put back: when its Service has endpoints, at the latest at the end of this run, and by the next
one where this was killed. Whatever else there is in a configuration stays, and so does a webhook that
somebody has changed meanwhile.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.admission import service_of
from kubectl_admin.cluster.connection import MERGE_PATCH, Cluster
from kubectl_admin.cluster.decode import mapping
from kubectl_admin.cluster.errors import Conflict, Forbidden, NotFound
from kubectl_admin.cluster.objects import ObjectName
from kubectl_admin.cluster.wait import looks
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.afterwards.facts import Done
from kubectl_admin.etcd.restore.consequences import rules
from kubectl_admin.etcd.restore.consequences.collect import HOOKS, SLICES
from kubectl_admin.etcd.restore.consequences.facts import Hook
from kubectl_admin.etcd.restore.consequences.read import endpoints_of, parts
from kubectl_admin.etcd.restore.record import Record
from kubectl_admin.finding import Finding, Gap
from kubectl_admin.report.text import some_of
from kubectl_admin.signals import sheltered

PLANNED = "webhooks"  # in what a record has planned
# What a configuration has while some of its webhooks are ignored:
# {"operation": ID, "policies": {NAME: POLICY}}.
MARK = "kubectl-admin/restore-webhooks"
IGNORE = "Ignore"
RIGHTS = (
    *(Right(verb, resource, group=group) for group, resource in HOOKS for verb in ("get", "list", "patch")),
    Right("list", SLICES[1], group=SLICES[0]),
)
TRIES = 5  # against others who write to the same configuration
# Seconds in which the pods behind them may come up; then they refuse again, whoever is behind them.
BEHIND_TIMEOUT = 120.0
BEHIND_INTERVAL = 2.0  # seconds between two looks


def planned(hooks: Iterable[Hook]) -> list[dict[str, str]]:
    """Webhooks as the record of a restore has them."""
    return [{"holder": one.holder, "uid": one.uid, "name": one.name} for one in hooks]


@dataclass(frozen=True, slots=True)
class Marked:
    """A configuration some of whose webhooks are ignored. path: in the API. item: as it is. policies: the
    former ones, by the names of webhooks; None where they can't be read.
    """

    path: str
    item: Mapping[str, Any]
    policies: Mapping[str, str] | None

    @property
    def name(self) -> str:
        """«validatingwebhookconfiguration/policy»."""
        resource, name = self.path.rsplit("/", 2)[1:]
        return f"{resource.removesuffix('s')}/{name}"

    @property
    def services(self) -> set[ObjectName]:
        """Those that its ignored webhooks call."""
        return {service for name, service in services_of(self.item) if name in (self.policies or ())}


def ignore(cluster: Cluster, record: Record) -> Done:
    """Has the planned webhooks refuse nothing, where nobody is behind them still.

    Raises AdminError, with all that could not be changed, once all were tried.
    """
    wanted: dict[tuple[str, str], set[str]] = {}
    for one in record.planned.get(PLANNED) or ():
        wanted.setdefault((str(one["holder"]), str(one["uid"])), set()).add(str(one["name"]))
    served = with_endpoints(cluster, record)
    done: list[str] = []
    problems: list[str] = []
    for (holder, uid), names in wanted.items():
        change = partial(ignoring, uid=uid, names=names, served=served, operation=record.id)
        try:
            if patched(cluster, path_of(holder), change):
                done.append(holder)
        except AdminError as error:
            problems.append(f"{holder}: {error.what}")
    if problems:
        raise AdminError(some_of(problems, separator="; "))
    return Done(f"webhooks that refuse nothing for now: {some_of(done) if done else 'none'}")


def put_back(cluster: Cluster, record: Record) -> Done:
    """Puts back whatever a restore has had ignored, each as soon as somebody is behind it.

    Raises AdminError, with all that could not be put back, once all were tried.
    """
    done: list[str] = []
    problems: dict[str, str] = {}
    findings: list[Finding] = []
    for late in looks(BEHIND_TIMEOUT, BEHIND_INTERVAL, clock=cluster.clock):
        left = list(marked(cluster))
        served = with_endpoints(cluster, record) if left else set()
        waiting = [one for one in left if not one.services <= served]
        for one in left if late else [one for one in left if one not in waiting]:
            problems.pop(one.name, None)
            try:
                restore(cluster, one)
            except AdminError as error:
                problems[one.name] = error.what
            else:
                done.append(one.name)
                findings += [nobody(one)] if one in waiting else []
        if not waiting:
            break
    if problems:
        raise AdminError(
            some_of([f"{name}: {what}" for name, what in problems.items()], separator="; "),
            f"run it again; or give them the failurePolicy that their annotation {MARK} has, and remove it",
        )
    return Done(f"webhooks that refuse again: {some_of(done) if done else 'none'}", tuple(findings))


@contextmanager
def refusing_afterwards(
    cluster: Cluster, record: Record | None, say: Callable[[str], None]
) -> Iterator[None]:
    """Where the work inside is cut off, whatever it has left ignored refuses again at once.

    cluster: a connection that does not try again by itself. Where that fails as well, the next run does it;
    say: is told so, with names.
    """
    done = False
    with sheltered() as shelter:
        try:
            with shelter.exposed():
                yield
            done = True
        finally:
            if not done and record is not None and PLANNED in record.planned:
                for name, why in tried_to_put_back(cluster).items():
                    say(f"{name} may refuse nothing until this is run again: {why}")


def left_over(cluster: Cluster) -> tuple[list[Marked], list[Gap]]:
    """Those that a restore has left ignored, and what could not be looked at for want of a right."""
    try:
        return list(marked(cluster)), []
    except Forbidden as error:
        return [], [Gap("webhooks that a restore may have left ignored", error.what)]


def put_back_now(cluster: Cluster, left: Iterable[Marked]) -> dict[str, AdminError | None]:
    """Puts these back, whoever is behind them; by name the problem with those that could not be."""
    answers: dict[str, AdminError | None] = {}
    for one in left:
        try:
            restore(cluster, one)
            answers[one.name] = None
        except AdminError as error:
            answers[one.name] = error
    return answers


def tried_to_put_back(cluster: Cluster) -> dict[str, str]:
    """Puts back what there is; by name why one is not."""
    try:
        answers = put_back_now(cluster, list(marked(cluster)))
    except AdminError as error:
        return {"webhooks": error.what}
    return {name: error.what for name, error in answers.items() if error}


def restore(cluster: Cluster, one: Marked) -> None:
    """Gives the webhooks of a configuration their former policy. Raises AdminError."""
    if one.policies is None:
        raise AdminError(f"its annotation {MARK} is not as this program writes it")
    patched(cluster, one.path, restoring)


def nobody(one: Marked) -> Finding:
    """A webhook that refuses again, although nobody is behind it."""
    services = ["/".join(service) for service in sorted(one.services)]
    return rules.WEBHOOK_RESTORED.warning(
        subject=one.name,
        evidence=f"it refuses again, and not all of its Services have a ready endpoint: {some_of(services)}",
        fix="see why their pods are not Ready",
        objects=[one.name],
    )


def marked(cluster: Cluster) -> Iterator[Marked]:
    """All configurations with the marker, of whatever restore: of several there is one at a time."""
    for group, resource in HOOKS:
        path = f"/apis/{group}/v1/{resource}"
        for item in cluster.list(path):
            if (said := mapping(item["metadata"].get("annotations")).get(MARK)) is not None:
                yield Marked(f"{path}/{item['metadata']['name']}", item, policies_of(said))


def policies_of(said: object) -> dict[str, str] | None:
    """The former policies in an annotation; None where it is not as this program writes it."""
    try:
        policies = json.loads(str(said))["policies"]
        return {str(name): str(policy) for name, policy in policies.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def with_endpoints(cluster: Cluster, record: Record) -> set[ObjectName]:
    """Services with an endpoint that is sent requests, on a node that has not left."""
    group, resource = SLICES
    found = map(endpoints_of, cluster.list(f"/apis/{group}/v1/{resource}"))
    return {one[0] for one in found if one and any(node not in record.left for node in one[1])}


def path_of(holder: str) -> str:
    """Where the API has a configuration."""
    kind, _, name = holder.partition("/")
    group, resource = next(one for one, known in HOOKS.items() if known == kind)
    return f"/apis/{group}/v1/{resource}/{name}"


def patched(cluster: Cluster, path: str, change: Callable[[Any], dict[str, Any] | None]) -> bool:
    """Changes this version of a configuration; whether there was something to change, and it was there.

    change: the patch of it, None for none.
    """
    for rest in reversed(range(TRIES)):
        try:
            item = cluster.get(path)
            body = change(item)
            if body is None:
                return False
            body["metadata"]["resourceVersion"] = item["metadata"]["resourceVersion"]
            cluster.patch(path, body, MERGE_PATCH)
        except NotFound:
            return False
        except Conflict:
            if not rest:
                raise
        else:
            return True
    raise AssertionError


def services_of(item: Mapping[str, Any]) -> Iterator[tuple[str, ObjectName]]:
    """The names of a configuration's webhooks, and the Services that they call."""
    for hook in parts(item.get("webhooks")):
        if service := service_of(hook.get("clientConfig")):
            yield str(hook.get("name")), service


def ignoring(
    item: Mapping[str, Any],
    *,
    uid: str,
    names: Collection[str],
    served: Collection[ObjectName],
    operation: str,
) -> dict[str, Any] | None:
    """The patch that has these webhooks ignored, without those that somebody is behind; None where it is
    another object, or none of them refuses.
    """
    if item["metadata"].get("uid") != uid:
        return None
    unserved = {name for name, service in services_of(item) if name in names and service not in served}
    hooks = [dict(one) for one in parts(item.get("webhooks"))]
    policies = {}
    for hook in hooks:
        if hook.get("name") in unserved and hook.get("failurePolicy") != IGNORE:
            policies[str(hook["name"])] = str(hook.get("failurePolicy") or "Fail")
            hook["failurePolicy"] = IGNORE
    if not policies:
        return None
    # The snapshot may have been taken while an earlier restore had some of them ignored.
    earlier = policies_of(mapping(item["metadata"].get("annotations")).get(MARK)) or {}
    mark = json.dumps({"operation": operation, "policies": {**policies, **earlier}})
    return {"metadata": {"annotations": {MARK: mark}}, "webhooks": hooks}


def restoring(item: Mapping[str, Any]) -> dict[str, Any] | None:
    """The patch that gives webhooks their former policy; None where there is no marker any more."""
    policies = policies_of(mapping(item["metadata"].get("annotations")).get(MARK))
    if policies is None:
        return None
    hooks = [dict(one) for one in parts(item.get("webhooks"))]
    for hook in hooks:
        if hook.get("name") in policies and hook.get("failurePolicy") == IGNORE:
            hook["failurePolicy"] = policies[str(hook["name"])]
    return {"metadata": {"annotations": {MARK: None}}, "webhooks": hooks}

"""Asks API servers and kube-proxies through an API server, where the ports of their node lead nowhere."""

import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from kubectl_admin.cluster import usable
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import ApiError, Unreachable, in_short
from kubectl_admin.cluster.paths import SYSTEM_PODS
from kubectl_admin.errors import AdminError
from kubectl_admin.health.asking import silence
from kubectl_admin.health.asking.exchange import TEXT, TEXT_LIMIT, Patience, reply_of
from kubectl_admin.health.asking.questions import Plan
from kubectl_admin.health.facts import NoReply, Reply, Why
from kubectl_admin.pool import LateError, ask_all

EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - others are bound to it
Replies = Mapping[str, Reply | NoReply]


def is_beside(plan: Plan, way: str | NoReply, replies: Replies) -> bool:
    """Whether an API server can only be asked through another one.

    Its node forwards nothing, or it is bound elsewhere, or shows a certificate of another authority; or it
    was silent, and could not be looked at again: its node's kubelet lets nobody in that it has not allowed.
    """
    if isinstance(way, NoReply):
        return way.why not in (Why.FORBIDDEN, Why.LATE)
    if any(isinstance(reply, Reply) for reply in replies.values()):
        return False
    elsewhere = not plan.questions[0].endpoint.is_on_loopback
    whys = {one.why for one in replies.values() if isinstance(one, NoReply)}
    return elsewhere or bool(whys & {Why.GARBLED, Why.LATE})


def is_sign_of_life(plan: Plan, way: str | NoReply) -> bool:
    """Whether a kube-proxy that listens for everybody is asked, since its node's kubelet says nothing.

    One that hangs and a machine that is off look alike but for that.
    """
    everywhere = bool(plan.questions) and plan.questions[0].endpoint.host in EVERYWHERE
    return everywhere and isinstance(way, NoReply) and way.why is Why.SILENT


def by_proxy(cluster: Cluster, plan: Plan, patience: Patience) -> Replies:
    """The health of a component as an API server is told it, which shows it no user."""
    if plan.process.pod is None:
        return {}
    endpoint = plan.questions[0].endpoint
    where = f"{SYSTEM_PODS}/{endpoint.scheme}:{plan.process.pod.name}:{endpoint.port}/proxy"
    there = [question for question in plan.questions if question.endpoint == endpoint]
    asked = [path.partition("?")[0] for question in there for path in question.on_health]
    asking = {path: partial(get_reply, cluster, f"{where}{path}", patience) for path in asked}
    found = ask_all(asking, deadline=patience.left, workers=len(asking))
    return {
        path: silence.of_proxy(one) if isinstance(one, AdminError) else one for path, one in found.items()
    }


def get_from_bypassed(cluster: Cluster, path: str, patience: Patience) -> Reply:
    """The answer of the kubeconfig's own server to a path, where --server leads past it.

    It is not shown who asks: /readyz is for everybody. Raises AdminError as `get_reply` does.
    """
    entry = cluster.target.bypassed or cluster.target.cluster
    usable.check(cluster.target.cluster_name, entry, "", {})
    target = replace(cluster.target, cluster=entry, user={}, bypassed=None)
    return get_reply(Cluster.connect(target, clock=cluster.clock), path, patience)


def get_reply(cluster: Cluster, path: str, patience: Patience) -> Reply:
    """The answer to a path of the API server, of whatever status; raises AdminError for none.

    A Status is somebody's word on why there is no answer, and is raised. LateError: there was too little
    time for one.
    """
    began, given = time.monotonic(), patience.for_one
    try:
        text, status = cluster.get_text(path, timeout=given, limit=TEXT_LIMIT), 200
    except ApiError as error:
        if not error.body:
            raise
        text, status = error.body, error.status
    except Unreachable as error:
        if time.monotonic() - began >= given and not patience.is_enough(given):
            raise LateError(f"no time was left: {in_short(error)}") from error
        raise
    return reply_of(status, text[:TEXT], time.monotonic() - began, {})

"""A snapshot opened on a control-plane node, by the programs that it runs anyway, through a debug pod.

It has a directory for root alone, and one systemd unit with limits and a network of its own. Both end with
this run, and by themselves where the node has not heard of it for a while (scripts/past-run.sh).
"""

import os
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial

from kubectl_admin.cluster.access import Right, require
from kubectl_admin.cluster.exec import Exec
from kubectl_admin.cluster.nodes import read_node
from kubectl_admin.control_plane import static_pods
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.past import certificates, flags, heartbeat, judge, kubeconfig, ready, tunnel
from kubectl_admin.etcd.past.facts import Past, Place
from kubectl_admin.etcd.past.opened import Opened, refuse
from kubectl_admin.etcd.past.survey import HINT, Candidate, candidates, survey
from kubectl_admin.node import debug_pod, leftovers
from kubectl_admin.node.host import Host
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.node.operation import Operation
from kubectl_admin.node.script import Script
from kubectl_admin.node.send import Destination, LocalFile, measure, send
from kubectl_admin.node.workspace import workspace

NAMES = ("start", "begin", "go", "relay", "run")
START, BEGIN, GO, RELAY, RUN = (Script("etcd", f"past-{name}") for name in NAMES)
COPY_TIMEOUT = 180.0  # seconds to copy the programs on a slow disk
PORT = 6443  # in a network of its own, every port is free
RIGHTS = (*static_pods.RIGHTS, Right("get", "namespaces"))

Watch = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]


@dataclass(frozen=True, slots=True)
class Wish:
    """A person's choices. node: "" for the best one. namespace: of the kubeconfig, or "".

    watch: opens the display of a phase.
    """

    node: str
    namespace: str
    environ: Mapping[str, str]
    watch: Watch


@contextmanager
def opened(past: Past, hosts: Hosts, wish: Wish) -> Iterator[Opened]:
    """The snapshot while it is open; on the node nothing of it is there afterwards.

    Raises AdminError where something forbids it, or a program fails.
    """
    cluster, namespace = hosts.cluster, hosts.options.namespace
    require(cluster, dict.fromkeys([*RIGHTS, *debug_pod.rights(namespace)]))
    chosen = choose(past, hosts, candidates(static_pods.find(cluster)), wish.node)
    of_cluster = judge.other_cluster(past, ready.cluster_uid(cluster))
    leftovers.sweep(cluster, namespace)
    with measured(past) as file, hosts.open(chosen.node) as host:
        leftovers.sweep_host(host)
        place = survey(host, chosen)
        findings = [*of_cluster, *judge.judge(past, place)]
        refuse(past, findings)
        keys = certificates.make()
        with (
            workspace(host) as directory,
            started(past, host, directory, chosen, file, keys, wish.watch) as alive,
            tunnel.listening(partial(carrier, host, directory, alive)) as port,
            kubeconfig.guarded_directory(wish.environ) as own,
        ):
            path = kubeconfig.write(own, kubeconfig.text(port, keys, wish.namespace))
            there = kubeconfig.connect(path)
            ready.wait_until_ready(there, alive.check)
            alive.calm()
            yield Opened(past, place, path, there, (*findings, *ready.unread(there, past)), alive.check)


def choose(past: Past, hosts: Hosts, able: Mapping[str, Candidate], node: str) -> Candidate:
    """The node that is named, or else the best one. Raises AdminError where there is none."""
    if node:
        read_node(hosts.cluster, node)
        if node not in able:
            raise AdminError(f"node {node} does not run etcd and kube-apiserver as static pods", HINT)
        return able[node]
    if not able:
        raise AdminError("no node runs etcd and kube-apiserver as static pods", "open it with --local")
    if len(able) == 1:
        return next(iter(able.values()))
    own = replace(hosts, operation=Operation.begin())
    answers = own.ask(able, lambda host: survey(host, able[host.node]))
    places = {one: node for node, one in answers.items() if isinstance(one, Place)}
    best = judge.best(past, list(places))
    if best:
        return able[places[best]]
    # The reason of one of them, which is seen again there.
    if places:
        return able[next(iter(places.values()))]
    raise next(one for one in answers.values() if isinstance(one, AdminError))


@contextmanager
def measured(past: Past) -> Iterator[LocalFile]:
    """The file that was judged, open."""
    try:
        descriptor = os.open(past.path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise AdminError(f"{past.path} can't be read: {error.strerror}") from error
    try:
        yield measure(descriptor, str(past.path), digest=past.sha256)
    finally:
        os.close(descriptor)


@contextmanager
def started(  # noqa: PLR0913, PLR0917 - what is opened, where, with what
    past: Past,
    host: Host,
    directory: str,
    chosen: Candidate,
    file: LocalFile,
    keys: certificates.Keys,
    watch: Watch,
) -> Iterator[heartbeat.Heartbeat]:
    """The unit is started, and told that somebody is interested in it.

    It runs before anything is there that would have to be removed.
    """
    unit = f"kubectl-admin-{host.operation.id}"
    limits = str(heartbeat.SILENCE), str(judge.needed_memory(past.size))
    refuse_unstarted(host.node, host.script(START, directory, unit, RUN.text(), *limits))
    with heartbeat.beating(host, directory, unit) as alive:
        encryption = chosen.encryption or "-"
        host.script(BEGIN, directory, chosen.etcd, chosen.apiserver, encryption, timeout=COPY_TIMEOUT)
        room = judge.LOGS + judge.SPARE_ROOM + past.size
        with watch(f"sending the snapshot to {host.node}") as moved:

            def show(done: int, whole: int) -> None:
                alive.check()
                moved(done, whole)

            send(host, file, Destination(f"{directory}/{flags.SNAPSHOT}", reserve=room), show)
        commands = flags.words(past, PORT, encrypted=bool(chosen.encryption))
        text = lines_of(flags.files(commands, keys))
        refuse_unstarted(host.node, host.script(GO, directory, unit, stdin=lambda: [text]))
        alive.hurry()
        yield alive


def lines_of(files: Mapping[str, bytes]) -> bytes:
    """Files by their names as the script reads them."""
    lines = [f"{name} {b64encode(content).decode()}\n" for name, content in files.items()]
    return "".join([*lines, "end\n"]).encode()


def refuse_unstarted(node: str, answer: bytes) -> None:
    """Raises AdminError unless the answer of past-start.sh, or of past-go.sh, is that all is well. Pure."""
    match answer.decode("utf-8", "replace").split():
        case ["started" | "going"]:
            return
        case ["busy", name]:
            raise AdminError(
                f"node {node}: other work is running there: kubectl-admin-{name}",
                "wait until it has ended, or open the snapshot on another node (--node): "
                f"kubectl admin node-exec {node} -- systemctl status kubectl-admin-{name}",
            )
        case ["shared"]:
            raise heartbeat.shared(node)
        case ["ended"]:
            raise heartbeat.over(node)
    raise AdminError(f"node {node}: unexpected answer of the host: {answer[:80]!r}")


def carrier(host: Host, directory: str, alive: heartbeat.Heartbeat, pieces: tunnel.Pieces) -> Exec:
    """A command that carries one connection to the API server there."""
    try:
        return host.start(RELAY.command([directory, str(PORT)]), stdin=pieces)
    except AdminError:
        alive.wake()
        raise

"""`python -m tests.lab fault NAME …`: the faults of faults.py from a shell."""

import sys
from typing import Any

import click

from tests.lab.nodes import lab
from tests.lab.nodes.faults import ETCD_DATA, Fault, Faults

UNDO = click.option("--undo", is_flag=True, help="End the fault instead of beginning it.")
NODE = click.argument("node")


@click.group()
@click.argument("name")
@click.pass_context
def fault(context: click.Context, name: str) -> None:
    """Break something in a cluster, or undo it with --undo."""
    context.obj = lab.get(name).faults


def _act(what: Fault, undo: bool) -> None:
    (what.end if undo else what.begin)()
    print(f"{'undone' if undo else 'begun'}: {what.title}", file=sys.stderr)


@fault.command()
@NODE
@UNDO
@click.pass_obj
def node(faults: Faults, node: str, undo: bool) -> None:
    """A node loses its power; undone, it boots."""
    _act(faults.node(node), undo)


@fault.command()
@NODE
@UNDO
@click.pass_obj
def kubelet(faults: Faults, node: str, undo: bool) -> None:
    """A node's kubelet is stopped."""
    _act(faults.kubelet(node), undo)


@fault.command()
@NODE
@UNDO
@click.pass_obj
def runtime(faults: Faults, node: str, undo: bool) -> None:
    """A node's container runtime is stopped."""
    _act(faults.runtime(node), undo)


@fault.command("static-pod")
@NODE
@click.argument("component")
@UNDO
@click.pass_obj
def static_pod(faults: Faults, node: str, component: str, undo: bool) -> None:
    """A control-plane component (such as kube-apiserver) is stopped."""
    _act(faults.static_pod(node, component), undo)


@fault.command("load-balancer")
@UNDO
@click.pass_obj
def load_balancer(faults: Faults, undo: bool) -> None:
    """The load balancer is stopped."""
    _act(faults.load_balancer(), undo)


@fault.command("cut-connections")
@click.pass_obj
def cut_connections(faults: Faults) -> None:
    """All connections through the load balancer are cut, once; new ones are taken."""
    faults.cut_connections()


@fault.command()
@NODE
@click.option("--delay", default=100.0, show_default=True, help="Milliseconds, each way.")
@click.option("--rate", default=0.0, help="Mbit/s, each way; 0 for no limit.")
@click.option("--loss", default=0.0, help="Per cent, each way.")
@UNDO
@click.pass_obj
def network(faults: Faults, node: str, undo: bool, **slowness: Any) -> None:
    """A node's network is slow."""
    numbers = {"delay_ms": slowness["delay"], "rate_mbit": slowness["rate"], "loss_percent": slowness["loss"]}
    _act(faults.network(node, **numbers), undo)


@fault.command()
@NODE
@click.option("--path", default=ETCD_DATA, show_default=True)
@click.option("--size", default=256, show_default=True, help="MiB of the small file system.")
@click.option("--free", default=0, show_default=True, help="MiB that stay free.")
@UNDO
@click.pass_obj
def disk(faults: Faults, node: str, path: str, size: int, free: int, undo: bool) -> None:
    """A folder of a node becomes a small file system, and full."""
    _act(faults.disk(node, path, size_mib=size, free_mib=free), undo)

"""`python -m tests.lab`: real Kubernetes clusters on this machine, for tests and for demonstrations."""

import subprocess
import sys
from pathlib import Path

import click

from tests.lab import cache
from tests.lab.errors import LabError
from tests.lab.nodes import by_hand, cluster, lab, node, users
from tests.lab.nodes.faults_cli import fault
from tests.lab.progress import Progress
from tests.lab.versions import RELEASES, release

VERSION = click.option("--version", default=RELEASES[0].minor, show_default=True, metavar="VERSION")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Make, use, break and remove kubeadm clusters on this machine."""


@main.command()
@click.argument("name")
@click.option("--control-planes", type=click.Choice(["1", "3"]), default="1", show_default=True)
@click.option("--workers", type=click.IntRange(0, 20), default=1, show_default=True)
@click.option(
    "--api-only", is_flag=True, help="Only an API server and etcd, as processes, with node objects."
)
@click.option("--nodes", type=click.IntRange(0), default=10, show_default=True, help="With --api-only.")
@VERSION
def up(name: str, control_planes: str, workers: int, api_only: bool, nodes: int, version: str) -> None:
    """Make a cluster, or find it already up."""
    folder = lab.folder_of(name)
    if api_only:
        from tests.lab.api import api_only as simulated

        _refuse(lab.find(name) is not None, f"lab {name} is up with nodes; take it down first")
        print(simulated.up(name, release(version).kubernetes, nodes, Progress(f"lab {name}", cache.logs())))
        return
    _refuse(_simulated(name), f"lab {name} is up as an API server only; take it down first")
    progress = Progress(f"lab {name}", folder / "logs")
    made = cluster.up(
        name, control_planes=int(control_planes), workers=workers, version=version, progress=progress
    )
    print(made.kubeconfig)


@main.command()
@click.argument("name")
def down(name: str) -> None:
    """Remove a cluster: every process, container, link, mount and file of it."""
    if _simulated(name):
        from tests.lab.api import api_only as simulated

        simulated.down(name)
    else:
        _refuse(not cluster.down(name), f"there is no lab {name}")
    print(f"lab {name} is gone", file=sys.stderr)


@main.command()
@click.argument("name")
def kubeconfig(name: str) -> None:
    """Print the path of a cluster's kubeconfig."""
    print(_simulated_kubeconfig(name) or lab.get(name).kubeconfig)


@main.command()
@click.argument("name")
@click.argument("who")
def user(name: str, who: str) -> None:
    """Make a user with a client certificate and no rights; print the path of its kubeconfig."""
    if _simulated(name):
        from tests.lab.api import api_only as simulated

        print(simulated.user(name, who))
    else:
        print(users.user(lab.get(name), who))


@main.command("exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("name")
@click.argument("node_name", metavar="NODE")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def execute(name: str, node_name: str, command: tuple[str, ...]) -> None:
    """Run a command on a node as root; its exit code becomes this one's."""
    container = lab.get(name).node(node_name).container
    argv = command[1:] if command[0] == "--" else command
    terminal = ["--tty"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    inside = [*lab.PODMAN, "exec", "--interactive", *terminal, container, *argv]
    sys.exit(subprocess.run(inside, check=False).returncode)


@main.command("list")
def list_labs() -> None:
    """Show the clusters that there are and how they are."""
    rows = []
    for found in filter(None, map(lab.find, lab.names())):
        stopped = [each.name for each in found.nodes if not node.running(each)]
        state = "half-made" if not found.complete else f"stopped: {', '.join(stopped)}" if stopped else "up"
        rows.append((found.name, str(found.shape), state, str(found.kubeconfig)))
    rows += [(name, "API server only", "up", str(_simulated_kubeconfig(name))) for name in _simulated_names()]
    for name, shape, state, path in rows:
        print(f"{name:16} {shape:18} {state:20} {path}")
    if not rows:
        print("no labs", file=sys.stderr)


@main.command()
@click.argument("versions", nargs=-1, metavar="[VERSION]…")
def build(versions: tuple[str, ...]) -> None:
    """Build what labs of these versions need, or everything; what is there is not built again."""
    cluster.build_all(list(versions), Progress("lab build", cache.logs()))


@main.command()
@click.argument("name")
@click.argument("version")
@click.argument("nodes", nargs=-1, metavar="[NODE]…")
def images(name: str, version: str, nodes: tuple[str, ...]) -> None:
    """Import the images of another version onto nodes (or all), and serve its packages to all."""
    found = lab.get(name)
    cluster.import_images(found, version, Progress(f"lab {name}", found.folder / "logs"), nodes)


@main.command()
@click.argument("name")
@click.argument("node_name", metavar="NODE")
@click.argument("version")
@click.option("--kubeadm/--no-kubeadm", default=True, help="Upgrade its part of the control plane.")
@click.option("--kubelet/--no-kubelet", default=True, help="Upgrade its kubelet.")
def upgrade(name: str, node_name: str, version: str, kubeadm: bool, kubelet: bool) -> None:
    """Upgrade a node by hand, as kubeadm's documentation says, but without draining it."""
    found = lab.get(name)
    progress = Progress(f"lab {name}", found.folder / "logs")
    by_hand.upgrade(found, node_name, version, progress, kubeadm=kubeadm, kubelet=kubelet)


main.add_command(fault)


def _refuse(condition: bool, why: str) -> None:
    if condition:
        raise LabError(why)


def _simulated_names() -> list[str]:
    try:
        from tests.lab.api import api_only as simulated
    except ImportError:
        return []
    return simulated.names()


def _simulated(name: str) -> bool:
    return name in _simulated_names()


def _simulated_kubeconfig(name: str) -> Path | None:
    if not _simulated(name):
        return None
    from tests.lab.api import api_only as simulated

    return simulated.kubeconfig(name)


if __name__ == "__main__":
    try:
        main()
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)

"""The options of verbs that open a snapshot of etcd as a cluster, and the opening itself."""

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kubectl_admin.errors import UsageError
from kubectl_admin.frame import candidates
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import debug_pod, in_order

if TYPE_CHECKING:
    from kubectl_admin.cluster.connection import Cluster
    from kubectl_admin.etcd.past.facts import Past
    from kubectl_admin.etcd.past.local import Local
    from kubectl_admin.etcd.past.opened import Opened
    from kubectl_admin.node.debug_pod import Options

OPTIONS = (
    click.option(
        "--node",
        default="",
        metavar="NODE",
        shell_complete=candidates.nodes,
        help="On this control-plane node; the one with the most memory if not given.",
    ),
    click.option("--local", is_flag=True, help="On this machine, by programs that are here."),
    click.option(
        "--bin",
        "programs",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIRECTORY",
        help="With --local: where etcd, etcdutl and kube-apiserver are; PATH if not given.",
    ),
    click.option(
        "--encryption-provider-config",
        "encryption",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="With --local: the API server's file of this name, if Secrets are encrypted.",
    ),
    click.option(
        "--etcd-prefix",
        "prefix",
        default="/registry",
        show_default=True,
        metavar="PREFIX",
        help="Where kube-apiserver stores objects, by its flag of this name.",
    ),
)


@dataclass(frozen=True, slots=True)
class Opening:
    """Where a snapshot is opened, and with what. node: "" for the best one. prefix: of etcd's keys."""

    node: str
    local: bool
    programs: Path | None
    encryption: Path | None
    prefix: str
    pods: "Options"

    def refuse_misfits(self) -> None:
        """Raises UsageError for options that do not go together."""
        if (self.local and self.node) or (not self.local and (self.programs or self.encryption)):
            raise UsageError("--node is for a node, --bin and --encryption-provider-config are for --local")

    def read(self, env: Environment, snapshot: Path) -> "Past":
        """Reads the file; raises AdminError where it is not sound, or programs for it are missing."""
        from kubectl_admin.etcd.past import gather, local

        self.refuse_misfits()
        if self.local:
            local.found(self._local(env))
        with env.moving("reading the snapshot") as moving:
            return gather.of_file(snapshot, prefix=self.prefix, progress=moving)

    def open(
        self, env: Environment, past: "Past", cluster: "Callable[[], Cluster] | None" = None
    ) -> "AbstractContextManager[Opened]":
        """The snapshot while it is open. cluster: connects to the live one whose node opens it."""
        from kubectl_admin.etcd.past import local, on_node
        from kubectl_admin.node.hosts import Hosts
        from kubectl_admin.node.operation import Operation

        if self.local:
            return local.opened(past, self._local(env), env.note)
        live = (cluster or env.cluster_for_work)()
        hosts = Hosts(live, Operation.begin(), self.pods, env.note)
        wish = on_node.Wish(self.node, namespace_of(env), env.environ, env.moving)
        return on_node.opened(past, hosts, wish)

    def _local(self, env: Environment) -> "Local":
        from kubectl_admin.etcd.past.local import Local

        return Local(self.programs, self.encryption, namespace_of(env), env.environ)


def namespace_of(env: Environment) -> str:
    """The namespace that was asked for by -n, or ""."""
    return str(env.flags.get("namespace", ""))


def opening_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The decorator for all of them, handed over as `opening`, an Opening."""

    @functools.wraps(function)
    def decided(
        *arguments: Any,
        node: str,
        local: bool,
        programs: Path | None,
        encryption: Path | None,
        prefix: str,
        pods: "Options",
        **others: Any,
    ) -> Any:
        opening = Opening(node, local, programs, encryption, prefix, pods)
        return function(*arguments, opening=opening, **others)

    return in_order(OPTIONS, debug_pod(decided))

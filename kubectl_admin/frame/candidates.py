"""The shell's offers in a place of the command line: click's `shell_complete` callbacks.

Each takes the context, with the global flags typed so far in its environment, the parameter, and the word to
complete, and returns the candidates. They may raise: `completion` swallows every error.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from kubectl_admin.cluster.kubeconfig_files import Kubeconfig

Candidates = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]


def nodes(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Names of nodes, with what `kubectl get nodes` says of them."""
    table = ctx.obj.cluster().table("/api/v1/nodes")
    rows = table.named("Name", "Status", "Roles", "Version")
    return beginning(incomplete, ((name, ", ".join(about)) for name, *about in rows))


def namespaces(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Names of namespaces."""
    rows = ctx.obj.cluster().table("/api/v1/namespaces").named("Name")
    return beginning(incomplete, ((name, "") for (name,) in rows))


def contexts(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Contexts of the kubeconfig, with the cluster that each means."""
    return beginning(incomplete, clusters_of_contexts(ctx))


def several_contexts(
    ctx: click.Context, _parameter: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    """The last context of a list with commas, each at most once."""
    before, comma, _ = incomplete.rpartition(",")
    others = ((name, about) for name, about in clusters_of_contexts(ctx) if name not in before.split(","))
    return beginning(incomplete, ((f"{before}{comma}{name}", about) for name, about in others))


def clusters(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Clusters of the kubeconfig, with their servers."""
    entries = kubeconfig(ctx).clusters
    return beginning(incomplete, ((name, entries[name].get("server", "")) for name in sorted(entries)))


def users(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Users of the kubeconfig."""
    return beginning(incomplete, ((name, "") for name in sorted(kubeconfig(ctx).users)))


def pending_requests(
    ctx: click.Context, _parameter: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    """Names of requests for certificates that wait, with who asks."""
    from kubectl_admin.certificates.requests import gather

    waiting = (request for request in gather.requests(ctx.obj.cluster()) if request.pending)
    return beginning(incomplete, ((one.name, one.username) for one in waiting))


def renewable(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Certificates that can be renewed."""
    from kubectl_admin.certificates.renewable import KNOWN

    return beginning(incomplete, ((name, "") for name in KNOWN))


def rules(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Ids of rules, with what each wants."""
    from kubectl_admin.frame.rules import every_rule

    return beginning(incomplete, ((name, rule.text) for name, rule in every_rule().items()))


def kinds(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Resources of Kubernetes' own kinds."""
    from kubectl_admin.etcd.stored.kinds import built_in

    return beginning(incomplete, sorted((kind.resource, kind.group) for kind in built_in()))


# The global flags' own, by their field in the environment.
OF_FLAG: dict[str, Candidates] = {
    "context": contexts,
    "cluster": clusters,
    "user": users,
    "namespace": namespaces,
}


def clusters_of_contexts(ctx: click.Context) -> Iterable[tuple[str, str]]:
    """Each context of the kubeconfig and its cluster."""
    entries = kubeconfig(ctx).contexts
    return ((name, entries[name].get("cluster", "")) for name in sorted(entries))


def kubeconfig(ctx: click.Context) -> "Kubeconfig":
    """The kubeconfig that the flags typed so far, or else the environment, name."""
    from kubectl_admin.cluster import kubeconfig

    return kubeconfig.merged(ctx.obj.overrides(), ctx.obj.environ)


def beginning(incomplete: str, candidates: Iterable[tuple[str, str]]) -> "list[CompletionItem]":
    """Those of the candidates, with what is said of each, that begin with the word to complete."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(name, help=about) for name, about in candidates if name.startswith(incomplete)]

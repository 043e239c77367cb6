"""`kubectl admin certs csr` and `kubectl admin certs csr approve`."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Never

import click

from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.frame import candidates
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import DURATION, output
from kubectl_admin.frame.verb import Verb, VerbGroup
from kubectl_admin.report import Report
from kubectl_admin.streams import ReaderGone

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from kubectl_admin.certificates.requests.approve import Outcome
    from kubectl_admin.certificates.requests.policy import Judged
    from kubectl_admin.cluster.connection import Cluster

SUBCOMMANDS = {
    "approve": ("certs_csr:approve", "Approve valid requests, and say why the others are refused.")
}


def max_duration(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option for how long a certificate may be asked for."""
    return click.option(
        "--max-duration",
        "longest",
        type=DURATION,
        default="8784h",
        show_default=True,
        metavar="DURATION",
        help="Refuse requests for longer than this (0: no limit); the signer has its own limit.",
    )(function)


def limit(longest: float) -> int:
    """Seconds that a certificate may be asked for; 0 is no limit, so more than the API can say."""
    return int(longest) or 1 << 31


def pending(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Names of requests that wait."""
    from kubectl_admin.certificates.requests import gather

    found = (request for request in gather.requests(ctx.obj.cluster()) if request.pending)
    return candidates.beginning(incomplete, ((one.name, one.username) for one in found))


@click.command("csr", cls=VerbGroup, subcommands=SUBCOMMANDS)
@max_duration
@output("table", "wide", "json", "yaml", "name")
@click.pass_obj
def command(env: Environment, /, longest: float) -> Report:
    """Judge the pending certificate signing requests of kubelets.

    Nothing in a cluster approves a kubelet's serving certificate (serverTLSBootstrap) by itself. This command
    compares every request with what a kubelet asks for: its own node's name and addresses, and nothing else.
    Requests to other signers are listed and left alone. Exit code 3: a request is refused.

    \b
    Examples:
      # List pending requests, with a verdict on each
      kubectl admin certs csr
      # With keys, addresses and requesters
      kubectl admin certs csr -o wide
    """
    from kubectl_admin.certificates.requests import gather
    from kubectl_admin.certificates.requests.report import report

    seen = gather.gather(env.cluster())
    shown = report(seen.context, seen.judged(limit(longest)), datetime.now(UTC), gaps=seen.nodes.server.gaps)
    env.show(shown)
    return shown


@click.command("approve", cls=Verb)
@click.argument("names", nargs=-1, metavar="[NAME]…", shell_complete=pending)
@click.option("--all-valid", is_flag=True, help="Approve all valid requests.")
@click.option("--watch", is_flag=True, help="Also approve new requests until interrupted; needs --all-valid.")
@click.option("--dry-run", is_flag=True, help="Show what would be approved, and change nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@max_duration
@output("table", "wide", "json", "yaml", "name")
@click.pass_obj
def approve(  # noqa: PLR0913 - its options
    env: Environment,
    *,
    names: tuple[str, ...],
    all_valid: bool,
    watch: bool,
    dry_run: bool,
    yes: bool,
    longest: float,
) -> Report:
    """Approve valid requests, verify the issued certificates, and say why other requests are refused.

    A refused request is never approved, even if you name it; a doubtful one only if you name it. Exit code 3:
    a request was refused, or a certificate was not issued or is not what was judged.

    \b
    Examples:
      # Show what would be approved
      kubectl admin certs csr approve --all-valid --dry-run
      # Approve one request
      kubectl admin certs csr approve csr-8x2vq
      # Keep approving while nodes are being added
      kubectl admin certs csr approve --all-valid --watch --yes
    """
    from kubectl_admin.certificates.requests import approve as approval
    from kubectl_admin.certificates.requests import gather
    from kubectl_admin.certificates.requests.report import report

    if bool(names) == all_valid:
        raise UsageError("name one or more requests, or use --all-valid, but not both")
    if watch and (names or dry_run):
        raise UsageError("--watch needs --all-valid, and excludes --dry-run")
    cluster = env.cluster_for_work()
    where = cluster.target.context or cluster.server
    if watch:
        env.confirm(f"approve all valid requests of context {where} from now on", yes=yes)
        follow(env, cluster, longest)
    seen = gather.gather(cluster)
    judged = seen.named(names, limit(longest)) if names else seen.judged(limit(longest))
    gaps = seen.nodes.server.gaps
    preview = report(seen.context, judged, datetime.now(UTC), gaps=gaps)
    chosen = [one for one in judged if approval.may_be_approved(one, named=bool(names))]
    if dry_run or not chosen:
        env.show(preview)
        return preview
    if not yes:
        env.show(preview, env.stderr)
    env.confirm(f"approve {len(chosen)} of {len(judged)} requests of context {where}", yes=yes)
    census = gather.Census(cluster)
    outcomes: list[Outcome] = []
    failure: AdminError | None = None
    try:
        try:
            for one in chosen:
                outcomes.append(approval.approve(cluster, one, census, limit(longest)))
        except AdminError as error:  # what is approved by now is approved: told first
            failure = error
        outcomes = approval.await_issued(cluster, outcomes)
    finally:
        now = datetime.now(UTC)
        done = report(seen.context, judged, now, outcomes, gaps=gaps, longest=limit(longest))
        env.show(done)
    if failure:
        raise failure
    return done


def follow(env: Environment, cluster: "Cluster", longest: float) -> Never:
    """Approves what comes, and shows each request as it is decided; the headers once."""
    from kubectl_admin.certificates.requests import watch
    from kubectl_admin.certificates.requests.report import report

    def tell(judged: "Judged", outcome: "Outcome | None") -> None:
        outcomes = [outcome] if outcome else []
        env.show(report("", [judged], datetime.now(UTC), outcomes, longest=limit(longest)))
        env.headers = False
        if env.unread:  # `| head` has seen enough; nothing is approved behind anybody's back
            raise ReaderGone

    watch.follow(cluster, limit(longest), tell, env.note)

"""`kubectl admin certs csr approve`."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Never

import click

from kubectl_admin.errors import UsageError
from kubectl_admin.frame import candidates
from kubectl_admin.frame.change import ChangeOptions, Proposal, change
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import change_options, max_duration, output
from kubectl_admin.frame.verb import Verb
from kubectl_admin.report import Report
from kubectl_admin.streams import ReaderGone

if TYPE_CHECKING:
    from kubectl_admin.certificates.requests.approve import Outcome
    from kubectl_admin.certificates.requests.policy import Judged
    from kubectl_admin.cluster.connection import Cluster


@click.command("approve", cls=Verb)
@click.argument("names", nargs=-1, metavar="[NAME]…", shell_complete=candidates.pending_requests)
@click.option("--all-valid", is_flag=True, help="Approve all valid requests.")
@click.option("--watch", is_flag=True, help="Also approve new requests until interrupted; needs --all-valid.")
@change_options
@max_duration
@output("table", "wide", "json", "yaml", "name")
@click.pass_obj
def command(
    env: Environment,
    *,
    names: tuple[str, ...],
    all_valid: bool,
    watch: bool,
    longest: int,
    how: ChangeOptions,
) -> Report:
    """Approve valid requests, verify the issued certificates, and say why other requests are refused.

    A refused request is never approved, even if you name it; a doubtful one only if you name it.

    Exit code 3: a request was not approved, or a certificate was not issued or is not what was judged.

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
    if watch and (names or how.dry_run):
        raise UsageError("--watch needs --all-valid, and excludes --dry-run")
    cluster = env.cluster_for_work()
    where = cluster.target.context or cluster.server
    if watch:
        env.confirm(f"approve all valid requests of context {where} from now on", yes=how.yes)
        follow(env, cluster, longest)
    seen = gather.gather(cluster)
    judged = seen.named(names, longest) if names else seen.judged(longest)
    gaps = seen.nodes.server.gaps
    chosen = [one for one in judged if approval.may_be_approved(one, named=bool(names))]
    outcomes: list[Outcome] = []

    def so_far() -> Report:
        now = datetime.now(UTC)
        return report(seen.context, judged, now, outcomes, gaps=gaps, longest=longest)

    def act() -> Report:
        approval.approve_all(cluster, chosen, longest, outcomes)
        return so_far()

    plan = report(seen.context, judged, datetime.now(UTC), gaps=gaps)
    question = f"approve {len(chosen)} of {len(judged)} requests of context {where}"
    return change(env, how, Proposal(plan, question, bool(chosen)), act, so_far=so_far)


def follow(env: Environment, cluster: "Cluster", longest: int) -> Never:
    """Approves what comes, and shows each request as it is decided; the headers once."""
    from kubectl_admin.certificates.requests import watch
    from kubectl_admin.certificates.requests.report import report

    def tell(judged: "Judged", outcome: "Outcome | None") -> None:
        outcomes = [outcome] if outcome else []
        env.show(report("", [judged], datetime.now(UTC), outcomes, longest=longest))
        env.headers = False
        if env.unread:  # `| head` has seen enough; nothing is approved behind anybody's back
            raise ReaderGone

    watch.follow(cluster, longest, tell, env.note)

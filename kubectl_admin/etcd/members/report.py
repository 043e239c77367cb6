"""How the state of etcd is shown: a row a member, a summary, and the same as plain data. Pure."""

from collections.abc import Iterator, Sequence

from kubectl_admin.etcd.members.facts import LAG, Member, State
from kubectl_admin.etcd.members.pods import ApiserverFlags
from kubectl_admin.finding import Finding
from kubectl_admin.report import Cell, Column, Mark, Report, Table
from kubectl_admin.report.text import size


def report(state: State, findings: Sequence[Finding]) -> Report:
    """The report of etcd-status."""
    return Report(
        kind="EtcdStatus",
        items=lambda: (document(member) for member in state.members),
        names=lambda: (name(member) for member in state.members),
        tables=[table(state)] if state.members else [],
        paragraphs=["\n".join(summary(state))],
        findings=findings,
        fields=fields(state),
    )


def table(state: State) -> Table:
    """A row a member. The node is a column of its own where members are not called like their nodes."""
    alike = all(member.title == member.node for member in state.members if member.node)
    columns = [
        Column("NAME"),
        Column("NODE", wide=alike),
        *map(Column, ("VERSION", "ROLE", "SIZE", "IN-USE", "RAFT-LAG", "HASH", "ALARMS")),
        *(Column(name, wide=True) for name in ("MEMBER-ID", "QUOTA", "TERM", "INDEX", "REVISION", "STORAGE")),
        Column("CLIENT-URLS", wide=True),
    ]
    return Table(columns, [row(member, state, member.pod in state.differing) for member in state.members])


def row(member: Member, state: State, differs: bool) -> list[Cell | str]:
    """A member's row; «-» for what is not known."""
    status = member.status
    hashed = f"{member.hash.value:08x}" if member.hash else "-"
    urls = member.listed.client_urls if member.listed else ()
    asked: list[Cell | str] = ["-", role(member), "-", "-", "-"]
    rest = ["-"] * 4
    if status:
        behind, unapplied = state.index - status.index, status.index - status.applied
        asked = [
            status.version,
            role(member),
            size(status.size),
            size(status.in_use),
            Cell(f"{behind}/{unapplied}", Mark.DOUBT if max(behind, unapplied) > LAG else None),
        ]
        rest = [str(status.term), str(status.index), str(status.revision), status.storage_version or "-"]
    return [
        member.title,
        member.node or "-",
        *asked,
        Cell(hashed, Mark.BAD if differs else None),
        Cell(",".join(member.alarms), Mark.BAD) if member.alarms else "-",
        f"{member.id:x}" if member.id is not None else "-",
        size(member.quota) if member.quota else "-",
        *rest,
        ",".join(urls) or "-",
    ]


def role(member: Member) -> Cell | str:
    """A member's role in the cluster, or that it is down."""
    if member.status is None:
        return Cell("unstarted", Mark.DOUBT) if member.unstarted else Cell("down", Mark.BAD)
    if member.learner:
        return Cell("learner", Mark.DOUBT)
    if not member.status.leader:
        return Cell("no leader", Mark.BAD)
    return "leader" if member.leads else "follower"


def summary(state: State) -> Iterator[str]:
    """The lines on the cluster as a whole."""
    context = f"context {state.context}, " if state.context else ""
    if state.members:
        up = sum(member.up for member in state.voters)
        yield f"{context}leader {state.leader.title if state.leader else 'unknown'}"
        if state.listed:
            yield f"{up} of {len(state.voters)} voting members up, {state.quorum} needed"
        else:
            heard = sum(member.up for member in state.members)
            yield f"the voting members are not known; {heard} of {len(state.members)} pods answered"
        if state.compared and not state.differing:
            yield f"the members' data is the same at revision {state.hashed}"
        elif state.listed and len(state.members) == 1:
            yield "no hash: there is no other member to compare the data with"
    else:
        yield f"{context}found no etcd pod in kube-system"
    if state.etcd.external:
        yield from (backend(one) for one in state.etcd.apiservers)


def backend(one: ApiserverFlags) -> str:
    """The etcd that API servers use, in a line."""
    files = ", ".join(file for file in (one.ca, one.cert, one.key) if file)
    elsewhere = f"; {', '.join(one.overrides)}" if one.overrides else ""
    return (
        f"the API servers of {', '.join(one.nodes)} use {', '.join(one.servers) or 'none'}{elsewhere}"
        f" with {files or 'no certificates'}"
    )


def name(member: Member) -> str:
    """A member's line for `-o name`: its pod, or its id where it has none."""
    return f"pod/{member.pod.name}" if member.pod else f"member/{member.title}"


def document(member: Member) -> dict[str, object]:
    """A member as plain data. Ids are text, as etcdctl writes them: many JSON readers round such numbers."""
    status, pod = member.status, member.pod
    return {
        "name": member.title,
        "id": f"{member.id:x}" if member.id is not None else None,
        "node": member.node or None,
        "pod": pod.name if pod else None,
        "image": pod.image if pod else None,
        "podReady": pod.ready if pod else None,
        "up": member.up,
        "role": role_name(member),
        "learner": member.learner,
        "peerURLs": list(member.listed.peer_urls) if member.listed else [],
        "clientURLs": list(member.listed.client_urls) if member.listed else [],
        "alarms": list(member.alarms),
        "problem": member.problem or None,
        "unreachable": member.unreachable or None,
        "askedFrom": member.asked_from or None,
        "quotaBytes": member.quota or None,
        "hash": {
            "hash": member.hash.value,
            "revision": member.hash.revision,
            "compactRevision": member.hash.compacted,
        }
        if member.hash
        else None,
        "status": {
            "version": status.version,
            "storageVersion": status.storage_version or None,
            "clusterID": f"{status.cluster_id:x}",
            "leader": f"{status.leader:x}" if status.leader else None,
            "raftTerm": status.term,
            "raftIndex": status.index,
            "raftAppliedIndex": status.applied,
            "revision": status.revision,
            "sizeBytes": status.size,
            "inUseBytes": status.in_use,
            "downgradeTo": status.downgrade_to or None,
            "errors": list(status.errors),
        }
        if status
        else None,
    }


def role_name(member: Member) -> str:
    """A member's role without a mark."""
    shown = role(member)
    return shown if isinstance(shown, str) else shown.text


def fields(state: State) -> dict[str, object]:
    """Fields of the cluster as a whole."""
    leader = state.leader
    return {
        "context": state.context,
        "server": state.server,
        "external": state.etcd.external,
        "leader": leader.title if leader else None,
        "voters": len(state.voters) if state.listed else None,
        "votersUp": sum(member.up for member in state.voters) if state.listed else None,
        "quorum": state.quorum if state.voters else None,
        "hashRevision": state.hashed or None,
        "apiServers": [
            {
                "nodes": list(one.nodes),
                "servers": list(one.servers),
                "caFile": one.ca or None,
                "certFile": one.cert or None,
                "keyFile": one.key or None,
                "overrides": list(one.overrides),
            }
            for one in state.etcd.apiservers
        ],
    }

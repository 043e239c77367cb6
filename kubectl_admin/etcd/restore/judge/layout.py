"""Whether a cluster is built and at work as a restore needs it. Pure.

A restore moves the four static pods of kubeadm on each control plane, and relies on each API server having
its own node's member alone: a client does not look at the cluster's id, so one with old caches would write
into the restored etcd of another node. What else there may be is refused, none of it by an option.
"""

from collections.abc import Iterator
from ipaddress import ip_address

from kubectl_admin.control_plane.component import APISERVER, ETCD
from kubectl_admin.control_plane.pod import PARTS, StaticPod
from kubectl_admin.etcd.members.facts import Member, missing
from kubectl_admin.etcd.members.flags import flags_of, parts
from kubectl_admin.etcd.members.pods import ApiserverFlags, EtcdPod, etcd_of_apiserver
from kubectl_admin.etcd.restore import rules
from kubectl_admin.etcd.restore.look.facts import ControlPlane, LiveFacts
from kubectl_admin.etcd.rules import ALARM_NOSPACE, NOSPACE
from kubectl_admin.finding import Finding
from kubectl_admin.report.text import printable, some_of

LOCALHOST = "localhost"


def of_cluster(live: LiveFacts) -> Iterator[Finding]:
    """All that forbids a restore of whatever snapshot, and a note where two control planes carry it."""
    yield from of_space(live)
    yield from of_etcd(live)
    for node in live.nodes.values():
        yield from of_node(node)
        yield from of_apiserver(node, live)
    for member in live.state.members:
        yield from of_member(member, live)
    for target in sorted({one.status.downgrade_to for one in live.state.members if one.status} - {""}):
        yield rules.DOWNGRADE.violation(
            subject="etcd",
            evidence=f"a downgrade to {printable(target)} is under way",
            fix="finish it, or cancel it: etcdctl downgrade cancel",
        )
    if len(live.nodes) == 2:
        yield rules.TWO_CONTROL_PLANES.note(
            subject="the control plane",
            evidence="there are two: where one fails during the restore, the other waits for it",
            objects=[f"node/{name}" for name in live.nodes],
        )


def of_space(live: LiveFacts) -> Iterator[Finding]:
    """Whether etcd takes writes: without them no debug pod can be made, by which nodes are prepared."""
    if live.is_full:
        raised = [alarm.member_id for alarm in live.state.alarms if alarm.kind == NOSPACE]
        members = [one for one in live.state.members if one.id is not None and one.id in raised]
        yield ALARM_NOSPACE.violation(
            subject="etcd",
            evidence="it takes no writes, so nothing can be brought to the nodes through the API: alarm "
            f"NOSPACE of {some_of([printable(one.title) for one in members]) or 'a member in no list'}",
            fix="make room, with etcdctl defrag on one member after another, then etcdctl alarm disarm; or "
            "restore on the control planes themselves: --local",
            objects=[name for one in members for name in one.objects],
        )
    for gap in live.state.unanswered if live.state.listed else ():  # else said below
        yield rules.MEMBER_ANSWERS.violation(
            subject="etcd",
            evidence=f"{gap.what} could not be asked for: {printable(gap.why)}",
            fix="see kubectl admin etcd-status",
        )


def of_etcd(live: LiveFacts) -> Iterator[Finding]:
    """Whether etcd runs on the control planes, and nowhere else."""
    state = live.state
    if state.etcd.external or not state.members:
        servers = sorted({url for one in state.etcd.apiservers for url in one.servers})
        yield rules.STACKED_ETCD.violation(
            subject="etcd",
            evidence=f"it does not run on the control planes: {some_of(servers) or 'no member was found'}",
            fix="restore it where it runs: etcdutl snapshot restore with --bump-revision and "
            "--mark-compacted, with all API servers stopped",
        )
        return
    if not state.listed:
        yield rules.MEMBER_ANSWERS.violation(
            subject="etcd",
            evidence="its list of members could not be read",
            fix="bring a majority up first, or restore on the control planes themselves: --local",
        )
    for member in state.members:
        if member.pod is None or member.pod.node not in live.nodes:
            yield rules.STACKED_ETCD.violation(
                subject=f"member {printable(member.title)}",
                evidence="no static pod of a control-plane node runs it",
                fix="remove it from the list if it is gone for good: etcdctl member remove",
                objects=member.objects,
            )


def of_node(node: ControlPlane) -> Iterator[Finding]:
    """Whether a node is Ready and runs the four parts."""
    where = (f"node/{node.name}",)
    if not node.ready:
        yield rules.NODE_READY.violation(
            subject=f"node {node.name}",
            evidence="it is not Ready",
            fix="bring it back, or delete its Node and its member if it is gone for good",
            objects=where,
        )
    counts = {component: sum(pod.component == component for pod in node.pods) for component in PARTS}
    odd = [f"{count or 'no'} {component}" for component, count in counts.items() if count != 1]
    if odd:
        yield rules.FOUR_PARTS.violation(
            subject=f"node {node.name}",
            evidence=f"it runs {' and '.join(odd)} as static pods",
            fix="a control plane that kubeadm has set up has one manifest of each",
            objects=where,
        )
    if (etcd := node.only(ETCD)) and (why := "; ".join(_odd_settings(etcd))):
        yield rules.PLAIN_ETCD.violation(
            subject=f"etcd on node {node.name}",
            evidence=printable(why),
            fix="set it up as kubeadm does; a restore by this program takes nothing else yet",
            objects=where,
        )


def of_apiserver(node: ControlPlane, live: LiveFacts) -> Iterator[Finding]:
    """Whether a node's API server uses the member of its own node, and no other."""
    server = node.only(APISERVER)
    own = [member.pod for member in live.state.members if member.pod and member.pod.node == node.name]
    if server is None or len(own) != 1 or own[0].flags.config_file:
        return  # said elsewhere
    used = etcd_of_apiserver(node.name, server.flags)
    strange = [*used.overrides, *(url for url in used.servers if not _is_of(own[0], url))]
    if strange or len(used.servers) != 1:
        yield rules.OWN_MEMBER.violation(
            subject=f"{APISERVER} on node {node.name}",
            evidence=f"it uses {_named(used)}",
            fix="have it use its own node's member alone, on the loopback (--etcd-servers)",
            objects=(f"node/{node.name}",),
        )


def of_member(member: Member, live: LiveFacts) -> Iterator[Finding]:
    """Whether a member is at work and votes."""
    if member.pod is None or not live.state.listed:
        return
    if why := missing(member):
        yield rules.MEMBER_ANSWERS.violation(
            subject=f"member {printable(member.title)}",
            evidence=printable(why),
            fix="promote it, or remove it: kubectl admin etcd-status"
            if member.learner
            else "bring it back first: kubectl admin etcd-status",
            objects=member.objects,
        )


def _odd_settings(etcd: StaticPod) -> Iterator[str]:
    """What a member has that a restore does not take, in words."""
    flags = flags_of(etcd.flags)
    if flags.config_file:
        yield f"its flags are in {flags.config_file}"
        return
    if flags.wal_dir:
        yield f"it has its log elsewhere (--wal-dir={flags.wal_dir})"
    path = flags.data_dir.rstrip("/")
    is_mounted = any(f"{path}/".startswith(f"{inside.rstrip('/')}/") for inside in etcd.mounts)
    if not is_mounted:
        yield f"its data directory {path} is not of the node"
    elif etcd.on_host(path) != path:
        yield f"its data directory {path} is {etcd.on_host(path)} on the node"


def _is_of(own: EtcdPod, url: str) -> bool:
    """Whether a URL leads to this member, from its own node."""
    _, host, port = parts(url)
    told = [parts(each) for each in (*own.flags.listen_client_urls, *own.flags.advertise_client_urls)]
    if (host, port) in {each[1:] for each in told}:
        return True
    return _is_loopback(host) and port in {each[2] for each in told if _is_served_by_loopback(each[1])}


def _is_loopback(host: str) -> bool:
    try:
        return host == LOCALHOST or ip_address(host).is_loopback
    except ValueError:
        return False


def _is_served_by_loopback(host: str) -> bool:
    """Whether what listens on this address can be reached on the loopback."""
    try:
        return _is_loopback(host) or ip_address(host).is_unspecified
    except ValueError:
        return False


def _named(used: ApiserverFlags) -> str:
    return printable(some_of([*used.servers, *used.overrides])) or "no etcd by its flags"

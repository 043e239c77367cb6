"""The judgement on what runs: webhooks without a backend, databases, images, and pods' addresses. Pure."""

from collections import defaultdict
from collections.abc import Iterator

from kubectl_admin.cluster.access import enumerated
from kubectl_admin.cluster.admission import VITAL
from kubectl_admin.cluster.objects import ObjectName
from kubectl_admin.etcd.restore.consequences import rules
from kubectl_admin.etcd.restore.consequences.facts import Hook, Side
from kubectl_admin.finding import Finding
from kubectl_admin.report.text import some_of


def blocking(old: Side, new: Side) -> dict[ObjectName, list[Hook]]:
    """Webhooks of the snapshot that refuse pods, nodes or leases, since nobody is behind them; by Service.

    An endpoint on a node that has left since is nobody.
    """
    by_service: dict[ObjectName, list[Hook]] = defaultdict(list)
    for hook in old.hooks:
        by_service[hook.service].append(hook)
    return {
        service: hooks
        for service, hooks in sorted(by_service.items())
        if service not in old.elsewhere
        and not any(not node or node in new.nodes for node in old.endpoints.get(service, ()))
    }


def webhooks(old: Side, new: Side, *, ignored: bool = False) -> Iterator[Finding]:
    """The same, as findings. ignored: whether they refuse nothing until somebody is behind them."""
    for service, hooks in blocking(old, new).items():
        behind = old.endpoints.get(service, frozenset())
        gone = (
            f"its endpoints were on {some_of(sorted(behind))}, which left since"
            if behind
            else "it has no ready endpoint"
        )
        covered = [name for name in VITAL if any(name in hook.covers for hook in hooks)]
        holders = list(dict.fromkeys(hook.holder for hook in hooks))
        kind, _, name = holders[0].partition("/")
        yield rules.WEBHOOK_RESTORED.warning(
            subject=f"webhook of Service {'/'.join(service)}",
            evidence=f"in the snapshot {gone}; without it {some_of(holders)} refuses {enumerated(covered)}"
            " that it is asked about",
            fix="its failurePolicy is Ignore for the time of the restore (--webhooks=ignore)"
            if ignored
            else "have it refuse nothing for the time of the restore: --webhooks=ignore; or once the API is"
            f" back: kubectl delete {kind} {name} (keep a copy), and put it back when its pods are Ready",
            objects=holders,
        )


def databases(old: Side, new: Side) -> Iterator[Finding]:
    """Databases whose primary has moved since: their operator would take an old one for it."""
    for name, now in sorted(new.databases.items()):
        before = old.databases.get(name)
        if before is None or not before.primary or before.primary == now.primary:
            continue
        namespace, cluster = name
        yield rules.PRIMARY_DIFFERS.warning(
            subject=f"CloudNativePG cluster {namespace}/{cluster}",
            evidence=f"its primary is {now.primary or 'not known'} now, and {before.primary} in the snapshot:"
            " its operator would promote that one, although others may have newer data",
            fix="have a backup of the database first; as soon as the API is back, fence it: "
            f"kubectl -n {namespace} annotate clusters.postgresql.cnpg.io {cluster} --overwrite"
            """ 'cnpg.io/fencedInstances=["*"]'; compare the instances' timelines before you lift it""",
            objects=[f"cluster.postgresql.cnpg.io/{namespace}/{cluster}"],
        )


def images(old: Side, new: Side) -> Iterator[Finding]:
    """Images that the snapshot's workloads need, and that no node is known to hold."""
    lacking = {image: names for image, names in sorted(old.templates.items()) if image not in new.images}
    if not lacking:
        return
    cut = (
        f"; {len(new.cut):,} of the nodes report only their 50 largest images, so one of these may have it"
        if new.cut
        else ""
    )
    listed = [f"{image} ({some_of(names)})" for image, names in lacking.items()]
    yield rules.IMAGE_NOT_ON_NODES.warning(
        subject=f"images of the snapshot: {some_of(list(lacking))}",
        evidence=f"not known to be on any node: {some_of(listed, separator='; ')}{cut}",
        fix="make sure that each can be pulled: its registry has it, and the nodes may read it",
        objects=dict.fromkeys(name for names in lacking.values() for name in names),
    )


def addresses(old: Side, new: Side) -> Iterator[Finding]:
    """Networks that keep pods' addresses in the API, where the restore takes them back."""
    for kind in dict.fromkeys((*new.address_kinds, *old.address_kinds)):
        maker = kind.partition("'")[0]
        check = (
            "calicoctl ipam check" if maker == "Calico" else "cilium-dbg status --all-addresses on each node"
        )
        yield rules.ADDRESSES_IN_API.warning(
            subject=kind,
            evidence=f"{maker} keeps the addresses of pods, or of nodes, in the API: those of pods that were"
            " made since are free again for others, and those of pods that have gone are taken",
            fix=f"afterwards: {check}; have pods that share an address made again",
        )


def unread(old: Side, _: Side) -> Iterator[Finding]:
    """Objects of the snapshot that could not be judged."""
    for kind, count in sorted(old.unread.items()):
        yield rules.SNAPSHOT_OBJECT_UNREAD.warning(
            subject=kind,
            evidence=f"{count:,} of the snapshot can't be read (encrypted at rest, or not understood)",
        )

"""Two compared snapshots as plain data. Pure."""

from collections.abc import Mapping

from kubectl_admin.etcd.diff.facts import Comparison, Difference, File, Row, Side, State
from kubectl_admin.etcd.diff.judge import is_noise, is_same_cluster, is_told_by_uid
from kubectl_admin.etcd.snapshot import report as snapshot_report
from kubectl_admin.etcd.stored.values import uid_text


def fields(compared: Comparison) -> Mapping[str, object]:
    """Both files, whether they are of one cluster, and how many objects differ, all of them counted."""
    return {
        "snapshots": [_file(file) for file in (compared.a, compared.b)],
        "compared": compared.compared,
        "sameCluster": is_same_cluster(compared.a, compared.b),
        "summary": [_row(row) for row in compared.rows],
    }


def document(difference: Difference) -> Mapping[str, object]:
    """An object that differs; `kind`, `namespace` and `name` are null where its key does not tell them."""
    thing, a, b = difference.object, difference.a, difference.b
    by = None
    if difference.state is State.RECREATED and a and b:
        by = "uid" if is_told_by_uid(a, b) else "createRevision"
    return {
        "difference": str(difference.state),
        "recreatedBy": by,
        "kind": thing.kind.name if thing.kind else None,
        "group": thing.kind.group if thing.kind else None,
        "namespace": thing.namespace or None,
        "name": thing.name or None,
        "key": thing.key,
        "noise": is_noise(difference.state, thing.kind),
        "a": _side(a),
        "b": _side(b),
    }


def name(difference: Difference) -> str:
    """As `kubectl -o name` has it, with the namespace: «deployment.apps/shop/cart»; or else the key."""
    thing = difference.object
    if thing.kind is None:
        return thing.key
    return "/".join(part for part in (thing.kind.word, thing.namespace, thing.name) if part)


def _file(file: File) -> Mapping[str, object]:
    return {
        "label": file.label,
        **snapshot_report.document(file.verdict),
        "keys": file.objects,
        "clusterUID": file.cluster,
    }


def _row(row: Row) -> Mapping[str, object]:
    return {
        "kind": row.kind.name if row.kind else None,
        "group": row.kind.group if row.kind else None,
        "namespace": row.namespace or None,
        "noise": bool(row.kind and row.kind.noisy),
        **{str(state): row.counts.get(state, 0) for state in State},
    }


def _side(side: Side | None) -> Mapping[str, object] | None:
    if side is None:
        return None
    return {
        "createRevision": side.created,
        "modRevision": side.modified,
        "uid": uid_text(side.uid),
        "valueBytes": side.size,
        "encrypted": side.encrypted,
    }

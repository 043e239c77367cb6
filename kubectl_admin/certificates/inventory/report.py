"""How certificates are shown: a row for all that are alike, the first to expire on top, plain data. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kubectl_admin.certificates.facts import Facts, Seen, Source, Use
from kubectl_admin.certificates.inventory import prometheus
from kubectl_admin.certificates.judge.expiry import Thresholds, severity
from kubectl_admin.certificates.judge.reload import stale
from kubectl_admin.certificates.x509 import Broken, Certificate
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.report import Cell, Column, Mark, Report, Table
from kubectl_admin.report.text import relative, short_span, some_of

NODES_WIDTH = 24  # columns for nodes; more of them are a number
MARKS = {Severity.VIOLATION: Mark.BAD, Severity.WARNING: Mark.DOUBT}


@dataclass(frozen=True, slots=True)
class Line:
    """A certificate on a node, and where it was seen; an authority on all nodes.

    seen: the place that says most of it: its file before the port that serves it. ports: those that serve it.
    stale: whether a port serves it although the disk holds another one; unserved: whether it is that other
    one.
    """

    seen: Seen
    nodes: tuple[str, ...]
    places: tuple[str, ...]
    ports: tuple[int, ...] = ()
    stale: bool = False
    unserved: bool = False

    @property
    def certificate(self) -> Certificate | None:
        """The certificate; None for one that can't be read."""
        return self.seen.certificate


def report(
    facts: Facts, findings: Sequence[Finding], now: datetime, thresholds: Thresholds, *, wide: bool = False
) -> Report:
    """All that the listing says. wide: a row for each certificate, also where nodes are alike."""
    listed = lines(facts)
    return Report(
        kind="CertificateReport",
        items=lambda: (document(line, now) for line in listed),
        names=lambda: dict.fromkeys(name(line) for line in listed),
        tables=[table(listed, now, thresholds, wide=wide)] if listed else [],
        paragraphs=["\n".join(summary(facts, listed, now))],
        findings=findings,
        fields=fields(facts),
        texts={"prometheus": lambda: prometheus.exposition(facts)},
    )


def lines(facts: Facts) -> list[Line]:
    """A line for each certificate on each node, the first to expire first; unreadable ones on top."""
    order = list(Source)
    alike: dict[tuple[object, ...], list[Seen]] = {}
    for one in sorted(facts.seen, key=lambda one: order.index(one.source)):
        about = (one.certificate.fingerprint,) if one.certificate else (one.where, one.content)
        alike.setdefault((one.owner if one.certificate else one.node, *about), []).append(one)
    wrong = stale(facts)
    found = [_line(group, wrong) for group in alike.values()]
    return sorted(found, key=lambda line: line.certificate.not_after.timestamp() if line.certificate else 0)


def _line(group: Sequence[Seen], wrong: Mapping[tuple[str, str], object]) -> Line:
    """One line from the places of one certificate; wrong: names and nodes where another one is served."""
    first = group[0]
    ports = tuple(dict.fromkeys(one.port for one in group if one.source is Source.SERVED))
    apart = first.use is Use.SERVER and (first.name, first.node) in wrong
    return Line(
        first,
        tuple(dict.fromkeys(one.node for one in group if one.node)),
        tuple(dict.fromkeys(one.where for one in group)),
        ports,
        stale=apart and bool(ports),
        unserved=apart and not ports,
    )


def table(listed: Iterable[Line], now: datetime, thresholds: Thresholds, *, wide: bool) -> Table:
    """The lines as rows; those that look the same on several nodes are one row, unless it is wide."""
    columns = [
        *map(Column, ("NAME", "NODES", "EXPIRES", "LEFT", "SERVED")),
        *(Column(title, wide=True) for title in ("SIGNER", "KEY", "SERIAL", "NAMES", "WHERE")),
    ]
    alike: dict[tuple[object, ...], list[Line]] = {}
    for line in listed:
        looks = (line.seen.name, expires(line, wide=wide), left(line, now, thresholds), served(line))
        alike.setdefault((*looks, line) if wide else looks, []).append(line)
    return Table(columns, [_row(group, now, thresholds, wide=wide) for group in alike.values()])


def _row(group: Sequence[Line], now: datetime, thresholds: Thresholds, *, wide: bool) -> list[Cell | str]:
    line = group[0]
    nodes = sorted({node for each in group for node in each.nodes})
    found = line.certificate
    return [
        line.seen.name,
        ",".join(nodes) if wide else narrow(nodes),
        expires(line, wide=wide),
        left(line, now, thresholds),
        served(line),
        (_signer(found) if found else "-"),
        (found.key if found else "-"),
        (found.serial_text if found else "-"),
        (",".join(found.names) if found else "-") or "-",
        ", ".join(line.places),
    ]


def narrow(nodes: Sequence[str]) -> str:
    """The nodes in a cell that stays narrow: all of them, or the first and how many more."""
    text = ",".join(nodes)
    if len(text) <= NODES_WIDTH or len(nodes) < 2:
        return text or "-"
    return f"{nodes[0]},+{len(nodes) - 1}"


def expires(line: Line, *, wide: bool) -> str:
    """The day on which a certificate expires, or the moment, in UTC."""
    if line.certificate is None:
        return "-"
    return (
        f"{line.certificate.not_after:%Y-%m-%dT%H:%M:%SZ}"
        if wide
        else f"{line.certificate.not_after:%Y-%m-%d}"
    )


def left(line: Line, now: datetime, thresholds: Thresholds) -> Cell | str:
    """The time that is left, in one unit; marked where it is little."""
    if line.certificate is None:
        return Cell("broken", Mark.BAD if line.seen.required else Mark.DOUBT)
    time = line.certificate.not_after - now
    text = "expired" if time <= timedelta(0) else short_span(time.total_seconds())
    level = severity(line.seen, now, thresholds)
    return Cell(text, MARKS.get(level)) if level else text


def served(line: Line) -> Cell | str:
    """The ports that serve a certificate; marked where the disk holds another one."""
    if line.unserved:
        return Cell("no", Mark.BAD)
    text = ",".join(f":{port}" for port in line.ports)
    return Cell(text, Mark.BAD) if line.stale else text or "-"


def summary(facts: Facts, listed: Sequence[Line], now: datetime) -> Iterator[str]:
    """The number of certificates, the first to expire, and those that are not the cluster's own."""
    context = f"context {facts.context}, " if facts.context else ""
    nodes = f"disks of {len(facts.hosts):,} of {len(facts.nodes):,} nodes"
    yield f"{context}{len(listed):,} certificates, {nodes}"
    first = next((line for line in listed if line.certificate and not line.seen.generated), None)
    if first and first.certificate:
        where = f" on {some_of(first.nodes)}" if first.nodes else ""
        when = relative(first.certificate.not_after, now)
        yield f"first to expire, generated ones aside: {first.seen.name}{where}, {when}"
    if facts.etcd_servers:
        yield f"etcd is external, with certificates of its own: {', '.join(facts.etcd_servers)}"


def name(line: Line) -> str:
    """A line for `-o name`: its node and its own name."""
    own = line.seen.name.replace(" ", "/") if line.seen.source is Source.USER else line.seen.name
    return f"{line.seen.node}/{own}" if line.seen.node else own


def document(line: Line, now: datetime) -> dict[str, object]:
    """A certificate as plain data. Serial numbers are text: many JSON readers round such numbers."""
    seen, found = line.seen, line.certificate
    return {
        "name": seen.name,
        "nodes": list(line.nodes),
        "use": str(seen.use),
        "source": str(seen.source),
        "where": list(line.places),
        "servedOn": list(line.ports),
        "stale": line.stale or line.unserved,
        "selfMade": seen.generated,
        "problem": None if found else seen.content.why if isinstance(seen.content, Broken) else None,
        "certificate": {
            "notBefore": f"{found.not_before:%Y-%m-%dT%H:%M:%SZ}",
            "notAfter": f"{found.not_after:%Y-%m-%dT%H:%M:%SZ}",
            "secondsLeft": int((found.not_after - now).total_seconds()),
            "subject": found.subject,
            "issuer": found.issuer,
            "serial": found.serial_text,
            "subjectAlternativeNames": list(found.names),
            "authority": found.authority,
            "key": found.key,
            "usages": list(found.usages),
            "sha256": found.fingerprint,
        }
        if found
        else None,
    }


def fields(facts: Facts) -> dict[str, object]:
    """Fields of the cluster as a whole."""
    return {
        "context": facts.context,
        "server": facts.server,
        "hosts": sorted(facts.hosts),
        "externalEtcd": list(facts.etcd_servers),
    }


def _signer(found: Certificate) -> str:
    return "itself" if found.signs_itself else found.issuer

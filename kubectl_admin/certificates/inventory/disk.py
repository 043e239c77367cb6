"""The certificates on one node's disk: the answer of the script `certificates` as plain data. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from kubectl_admin.certificates import x509
from kubectl_admin.certificates.facts import ABSENT, Seen, Source, Use
from kubectl_admin.certificates.inventory.components import LAYOUT, PKI, File
from kubectl_admin.certificates.x509 import Broken, Certificate
from kubectl_admin.cluster.decode import whole_number
from kubectl_admin.node.script import Script

SCRIPT = Script("certificates", "certificates")
# The files that the script finds by itself, besides those in its arguments.
KUBELET = {
    "kubelet.conf": Use.CLIENT,
    "kubelet-client": Use.CLIENT,
    "kubelet-serving": Use.SERVER,
    "kubelet-client-ca": Use.AUTHORITY,
}
LIMIT = 500  # certificates of a node; one of the control plane has some thirty
EMBEDDED = ("certificate", "authority")  # kinds of certificates that a kubeconfig embeds


@dataclass(frozen=True, slots=True)
class Header:
    """The script's word on a file.

    kind: pem, kubeconfig, certificate and authority for one embedded there, absent, or kubelet for a
    setting of it, with the setting in place of the path; served, with an address in place of the path.
    """

    kind: str
    name: str
    key: bool | None
    changed: datetime | None
    path: str


def arguments(files: Iterable[File], addresses: Iterable[str] = ()) -> list[str]:
    """The script's arguments for these files, and for what is served at these addresses."""
    words = [PKI]
    for file in files:
        words += ["kubeconfig" if file.kubeconfig else "pem", file.name, file.path]
    for address in addresses:
        words += ["served", "-", address]
    return words


def seen(node: str, answer: bytes, files: Sequence[File]) -> tuple[Seen, ...]:
    """Every certificate that the script has shown. files: those in its arguments.

    A file that is shown twice counts once, by the name that it was shown under first. A node that shows very
    many certificates has the last be Broken, in place of the rest.
    """
    known = {file.path: file for file in files}
    found: dict[tuple[str, str, int], Seen] = {}
    held: Counter[str] = (
        Counter()
    )  # how many of a kind the kubeconfig at hand has shown: it may have many users
    for header, lines in _sections(answer.decode("latin-1")):
        if header.kind in ("kubelet", "served"):
            continue
        if len(found) >= LIMIT:
            rest = Broken(f"only the first {LIMIT} certificates of this node are read")
            found[header.kind, "", 0] = Seen(
                "others", node, header.path, Source.FILE, Use.UNKNOWN, rest, required=False
            )
            break
        if header.kind == "kubeconfig":
            held.clear()
        here = list(_of_section(node, header, lines, known))
        for number, one in enumerate(here, held[header.kind]):
            found.setdefault((header.kind, header.path, number), one)
        if header.kind in EMBEDDED:
            held[header.kind] += len(here)
    return tuple(found.values())


def settings(answer: bytes) -> dict[str, str]:
    """The kubelet's settings that the script has shown; "" for one that is not set."""
    return {
        header.name: header.path
        for header, _ in _sections(answer.decode("latin-1"))
        if header.kind == "kubelet"
    }


def served(answer: bytes) -> dict[str, Certificate | Broken]:
    """The certificates that the script has seen, by address."""
    found = {}
    for header, lines in _sections(answer.decode("latin-1")):
        if header.kind == "served":
            why = next((line.removeprefix("? ") for line in lines if line.startswith("? ")), "")
            text = "\n".join(lines).encode("latin-1")
            found[header.path] = Broken(why) if why else x509.read(text)[0]
    return found


def _sections(answer: str) -> Iterator[tuple[Header, list[str]]]:
    """Each file's header and the lines that the script has shown of it."""
    header: Header | None = None
    lines: list[str] = []
    for line in answer.splitlines():
        if not line.startswith("@ "):
            lines.append(line)
            continue
        if header:
            yield header, lines
        header, lines = _header(line), []
    if header:
        yield header, lines


def _header(line: str) -> Header | None:
    words = line.split(" ", 5)
    if len(words) < 6:
        return None
    _, kind, name, key, moment, path = words
    changed = whole_number(moment)
    return Header(
        kind,
        name,
        {"yes": True, "no": False}.get(key),
        None if changed is None else datetime.fromtimestamp(changed, UTC),
        path,
    )


def _of_section(node: str, header: Header, lines: Sequence[str], known: Mapping[str, File]) -> Iterator[Seen]:
    """Read from one file."""
    name, use, required = _meant(header, known.get(header.path))

    def one(title: str, source: Source, use: Use, content: Certificate | Broken) -> Seen:
        key = header.key if use is Use.AUTHORITY else None
        where, changed = header.path, header.changed
        return Seen(title, node, where, source, use, content, required, key=key, changed=changed)

    if header.kind == "absent":
        if required:
            yield one(name, Source.FILE, use, ABSENT)
        return
    if header.kind == "kubeconfig":
        return  # its certificates come in sections of their own
    body = x509.read("\n".join(lines).encode("latin-1"))
    if header.kind == "certificate":
        yield one(name, Source.KUBECONFIG, Use.CLIENT, body[0])
        return
    if header.kind == "authority":
        for content in body:
            yield one(f"{name} (authority)", Source.KUBECONFIG, Use.AUTHORITY, content)
        return
    first, *others = body
    leaf = one(name, Source.FILE, use, first)
    yield leaf
    # Behind a server's or a client's own certificate stand those that lead to its root.
    own = leaf.certificate
    alone = leaf.generated or (use is Use.SERVER and own is not None and own.signs_itself)
    for content in () if alone else others:
        if use is Use.AUTHORITY:
            yield one(name, Source.FILE, use, content)
        else:
            yield one(f"{name} (chain)", Source.FILE, Use.AUTHORITY, content)


def _meant(header: Header, file: File | None) -> tuple[str, Use, bool]:
    """A file's name, its purpose, and whether it is required."""
    if file:
        return file.name, file.use, file.required
    if header.name == "kubelet.conf" and header.kind == "pem":
        return "kubelet-client", Use.CLIENT, True  # which its kubeconfig names
    if header.name in KUBELET:
        return header.name, KUBELET[header.name], True
    if header.name != "-":
        return header.name, Use.CLIENT, True  # which a kubeconfig of that name names
    if header.path in LAYOUT:
        return *LAYOUT[header.path], False
    return header.path.removeprefix("/etc/kubernetes/"), Use.UNKNOWN, False

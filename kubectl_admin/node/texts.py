"""Configuration files of a node's host, read as text, many at once."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from kubectl_admin.node.host import Host
from kubectl_admin.node.script import Script

TEXTS = Script("node", "texts")
LIMIT = 1 << 20  # bytes of a file; configuration is far smaller


@dataclass(frozen=True, slots=True)
class Texts:
    """Files. read: the text of each one, by its path, in the order of the host's walk.

    unread: those that are there, and could not be read.
    """

    read: dict[str, str] = field(default_factory=dict)
    unread: tuple[str, ...] = ()

    def __add__(self, other: "Texts") -> "Texts":
        return Texts({**self.read, **other.read}, tuple(dict.fromkeys((*self.unread, *other.unread))))

    def below(self, directory: str) -> dict[str, str]:
        """Those below a directory, in their order."""
        return {
            path: text for path, text in self.read.items() if path.startswith(f"{directory.rstrip('/')}/")
        }


def read_texts(host: Host, paths: Iterable[str]) -> Texts:
    """The text of these files, and of all files below these directories; those not there are left out.

    Raises AdminError where the host can't be asked.
    """
    wanted = list(dict.fromkeys(paths))
    if not wanted:
        return Texts()
    return texts(host.script(TEXTS, str(LIMIT), *wanted).decode("utf-8", "replace"))


def texts(answer: str) -> Texts:
    """The script's answer, parsed."""
    read: dict[str, list[str]] = {}
    unread: list[str] = []
    lines: list[str] = []
    for line in answer.split("\n"):
        match line.partition(" "):
            case "", " ", text:
                lines.append(text)
            case "file", _, path:
                lines = read.setdefault(path, [])
            case "unread", _, path:
                unread.append(path)
    return Texts(
        {path: "\n".join((*found, "")) if found else "" for path, found in read.items()}, tuple(unread)
    )

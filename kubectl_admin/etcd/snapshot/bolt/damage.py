"""Where a file is damaged, and how."""

from dataclasses import dataclass, field

KEPT = 20
ENOUGH = 1000


@dataclass(frozen=True, slots=True)
class Damage:
    """One damaged place.

    page: the page's number; None where the damage is in no single page.
    offset: bytes from the beginning of the file; None where the place is unknown.
    what: what is wrong there, a clause.
    """

    page: int | None
    offset: int | None
    what: str

    def __str__(self) -> str:
        places = [f"page {self.page}"] if self.page is not None else []
        places += [f"byte {self.offset}"] if self.offset is not None else []
        return f"{', '.join(places)}: {self.what}" if places else self.what


class Damaged(Exception):  # noqa: N818 - not a failure of the program: the word for what was found
    """Raised where reading a part of the file must stop."""

    def __init__(self, damage: Damage) -> None:
        super().__init__(str(damage))
        self.damage = damage


class Hopeless(Exception):  # noqa: N818 - as above
    """Raised when so much is damaged that more of it would add nothing."""


@dataclass(slots=True)
class Damages:
    """The first few damaged places, and the number of all up to ENOUGH.

    A hostile file could have hundreds of millions, each of which takes time to be found.
    """

    kept: list[Damage] = field(default_factory=list)
    total: int = 0

    def add(self, page: int | None, offset: int | None, what: str) -> None:
        """Notes one more; raises Hopeless with the last one that is looked at."""
        self.note(Damage(page, offset, what))

    def note(self, damage: Damage) -> None:
        """The same for one that is made already."""
        self.total += 1
        if len(self.kept) < KEPT:
            self.kept.append(damage)
        if self.total >= ENOUGH:
            raise Hopeless

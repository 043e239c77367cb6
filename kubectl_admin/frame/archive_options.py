"""Options of verbs that open an archive."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click


@dataclass(frozen=True, slots=True)
class KeyOptions:
    """A person's choices. identities: files of secret keys. passphrase: whether it is asked for."""

    identities: tuple[Path, ...]
    passphrase: bool
    passphrase_file: Path | None

    @property
    def are_given(self) -> bool:
        """Whether there is any."""
        return bool(self.identities or self.passphrase or self.passphrase_file)


def archive_keys(function: Callable[..., Any]) -> Callable[..., Any]:
    """The decorator for what opens an archive, handed over as `keys`, KeyOptions."""

    @functools.wraps(function)
    def decided(
        *arguments: Any,
        identities: tuple[Path, ...],
        passphrase: bool,
        passphrase_file: Path | None,
        **others: Any,
    ) -> Any:
        return function(*arguments, keys=KeyOptions(identities, passphrase, passphrase_file), **others)

    decided = click.option(
        "--passphrase-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Read the passphrase from the first line of a file.",
    )(decided)
    decided = click.option(
        "--passphrase", is_flag=True, help="Open it by its passphrase, which is asked for."
    )(decided)
    return click.option(
        "-i",
        "--identity",
        "identities",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Open it with the secret keys of age, or the one of SSH, in this file. Several are possible.",
    )(decided)

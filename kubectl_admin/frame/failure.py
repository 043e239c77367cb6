"""Why a run has ended before its time, in a sentence."""

import click

from kubectl_admin.errors import AdminError
from kubectl_admin.signals import Terminated


def sentence(error: BaseException) -> str:
    """The exception that has ended a run, as a sentence."""
    match error:
        case AdminError():
            return error.what
        case KeyboardInterrupt() | click.Abort():
            return "interrupted"
        case Terminated():
            return "terminated"
        case _:
            return f"internal error: {type(error).__name__}: {error}"

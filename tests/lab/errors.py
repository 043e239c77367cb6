"""The one exception of the lab that reaches a person."""

from pathlib import Path


class LabError(Exception):
    """A step that failed: what happened, in which step, and where its log is."""

    def __init__(self, what: str, log: Path | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.log = log
        self.step = ""

    def __str__(self) -> str:
        step = f"{self.step}: " if self.step else ""
        log = f"\n       log: {self.log}" if self.log else ""
        return f"{step}{self.what}{log}"

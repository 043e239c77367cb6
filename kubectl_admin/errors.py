"""The one kind of error that reaches a person: what happened, on which object, what to do next."""


class AdminError(Exception):
    """A failure, shown as a sentence, never as a traceback.

    what: the sentence, naming the object it is about («node w1: …», «secrets "x" is forbidden: …»).
    hint: what to do next, printed on a line of its own; None where nothing can be advised.
    """

    def __init__(self, what: str, hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.waited = 0.0  # seconds for which it was put up with already


class UsageError(AdminError):
    """Wrong input from the person who runs this: a flag, a file name, a kubeconfig that does not parse."""

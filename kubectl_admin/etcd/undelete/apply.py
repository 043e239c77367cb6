"""Makes the objects of a plan, in its order; each change is in the journal before and after it is made.

1. Namespaces and definitions of kinds that are missing, until objects can be made in them.
2. All that could not be tried before is tried.
3. The others, a few of a kind at a time.

An object that is refused ends it, and all that was made is taken back; with `keep_going` the others are made.
Where the server does not answer any more, nothing is taken back: the same command goes on.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.decode import mapping
from kubectl_admin.cluster.errors import ApiError, Forbidden
from kubectl_admin.cluster.objects import has_condition, is_being_deleted
from kubectl_admin.cluster.wait import TooLateError, wait_until
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.undelete import rehearse, undo
from kubectl_admin.etcd.undelete.batches import batches, intent, lacking, noted
from kubectl_admin.etcd.undelete.compare import altered
from kubectl_admin.etcd.undelete.complete import GoneError, complete, note_managers, note_owners
from kubectl_admin.etcd.undelete.ends import Became, Note, Outcome
from kubectl_admin.etcd.undelete.entries import Entry
from kubectl_admin.etcd.undelete.facts import Item, Json, Key, Plan, State
from kubectl_admin.etcd.undelete.journal import Journal
from kubectl_admin.etcd.undelete.keep import keep
from kubectl_admin.etcd.undelete.kinds import DEFINITIONS
from kubectl_admin.etcd.undelete.read import words
from kubectl_admin.etcd.undelete.rehearse import WORKERS, Rehearsed
from kubectl_admin.etcd.undelete.send import Sent, is_verdict, make
from kubectl_admin.etcd.undelete.unfinished import manager_of
from kubectl_admin.pool import ask_all

DEADLINE = 900.0  # seconds for a batch: each request has a limit of its own
ESTABLISHED_TIMEOUT = 60.0  # seconds until a new kind is served
ESTABLISHED_INTERVAL = 0.2  # seconds between two looks


@dataclass
class Run:
    """One run. outcomes: so far, by key. undone: what was taken back, or could not be.

    begin: opens the journal; called before the first change.
    """

    cluster: Cluster
    plan: Plan
    operation: str
    begin: Callable[[], Journal]
    keep_going: bool
    say: Callable[[str], None]
    step: Callable[[int], None] = lambda _: None
    journal: Journal | None = None
    outcomes: dict[Key, Outcome] = field(default_factory=dict)
    undone: list[undo.Undone] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    _uids: dict[Key, str] = field(default_factory=dict)
    _made: dict[Key, Json] = field(default_factory=dict)
    _kept: dict[Key, Entry] = field(default_factory=dict)
    _failed: list[Item] = field(default_factory=list)

    def run(self, known: Rehearsed) -> None:
        """Brings back what the plan has. known: the answers of the rehearsal before.

        Raises AdminError where the server does not answer, or the journal can't be written.
        """
        for item in self.plan.todo:
            if why := known.refused.get(item.key):
                self._end(item, Became.REFUSED, why)
        todo = [item for item in self.plan.todo if item.key not in self.outcomes]
        self.journal = self.begin()
        try:
            ground = [item for item in todo if rehearse.is_ground(item)]
            good = self._make_all(ground) and self._await_kinds(ground) and self._try_late(known.untried)
            made = {item.key for item in ground}
            good = good and self._make_all(item for item in todo if item.key not in made)
            if good:
                self._note_owners()
                self._complete()
            else:
                self._take_back()
        finally:
            self.journal.close()

    def _make_all(self, items: Iterable[Item]) -> bool:
        """Whether it may go on. Makes these, in batches."""
        for batch in batches(items):
            able = [item for item in batch if not self._leave_out(item)]
            able = self._keep(able)
            self._make(able)
            if self.keep_going:
                self._give_back(able)
            refused = [self.outcomes[item.key] for item in batch if item.key in self.outcomes]
            if not self.keep_going and any(one.became is Became.REFUSED for one in refused):
                return False
        return True

    def _leave_out(self, item: Item) -> bool:
        """Whether it is not made, since what it needs was not."""
        if item.key in self.outcomes:
            return True
        if self._failed and (why := lacking(item, self._failed)):
            self._end(item, Became.LEFT_OUT, why)
            return True
        return False

    def _keep(self, items: Sequence[Item]) -> list[Item]:
        """Keeps volumes for the claims among these; those that can be made."""
        wanted = {item.key: self.plan.freed[item.key] for item in items if item.key in self.plan.freed}
        if not wanted:
            return list(items)
        kept = keep(self.cluster, self._journal, wanted)
        self._kept |= kept.entries
        for item in items:
            if why := kept.refused.get(item.key):
                self._end(item, Became.REFUSED, why)
        return [item for item in items if item.key not in kept.refused]

    def _give_back(self, items: Iterable[Item]) -> None:
        """Gives those volumes back whose claims among these are refused."""
        refused = [item.key for item in items if self.outcomes[item.key].became is Became.REFUSED]
        entries = [self._kept[key] for key in refused if key in self._kept]
        self.undone += undo.left(list(undo.take_back(self.cluster, self._journal, entries)))

    def _make(self, items: Sequence[Item]) -> None:
        """Makes some objects at the same time."""
        if not items:
            return
        entries = self._journal.intend([intent(item) for item in items])
        manager = manager_of(self.operation)
        questions = {
            entry.number: partial(make, self.cluster, item, self._uids, manager)
            for item, entry in zip(items, entries, strict=True)
        }
        answers = ask_all(questions, deadline=DEADLINE, workers=WORKERS)
        settled, raced, silent = [], list[Item](), None
        for item, entry in zip(items, entries, strict=True):
            answer = answers[entry.number]
            sent = answer if isinstance(answer, Sent) else Sent(error=answer)
            if sent.error and not is_verdict(sent.error):
                silent = sent.error
                self.outcomes[item.key] = Outcome(item, Became.UNKNOWN, sent.error.what)
            elif item.raced and sent.there and not is_being_deleted(sent.there):
                settled.append(replace(entry, refused=True))
                raced.append(replace(item, now=sent.there, state=State.CHANGED))
            else:
                settled.append(self._settle(item, entry, sent))
        self._journal.note(settled)
        if silent:
            raise silent
        self._note_managers(item for item in items if not has_later(item))
        self._make(raced)

    def _settle(self, item: Item, entry: Entry, sent: Sent) -> Entry:
        """What has become of an object, and its entry."""
        if sent.made is None and sent.there and rehearse.is_as_good(item, sent.there):
            self._uids[item.key] = str(sent.there["metadata"].get("uid") or "")
            self._end(item, Became.THERE, "somebody has made it meanwhile, and it is the same")
            return replace(entry, refused=True)
        if sent.made is None:
            self._end(item, Became.REFUSED, rehearse.reason(item, sent))
            return replace(entry, refused=True)
        self._made[item.key] = sent.made
        self._uids[item.key] = str(sent.made["metadata"].get("uid") or "")
        is_new = item.state is State.MISSING
        self._end(item, Became.MADE if is_new else Became.PUT_BACK, left=sent.left)
        fields = altered(item, sent.made, sent.left)
        self.outcomes[item.key] = replace(self.outcomes[item.key], altered=fields)
        return replace(entry, uid=self._uids[item.key], after=noted(item, sent.made))

    def _note_managers(self, items: Iterable[Item]) -> None:
        """Notes the field managers of before; that this fails is said, and nothing else."""
        manager = manager_of(self.operation)
        made = {item.key: item for item in items if item.key in self._made and item.state is State.MISSING}
        questions = {
            key: partial(note_managers, self.cluster, item, self._made[key], (), manager)
            for key, item in made.items()
        }
        for key, answer in ask_all(questions, deadline=DEADLINE, workers=WORKERS).items():
            if isinstance(answer, AdminError):
                why = words(answer)
                self.notes.append(Note(made[key], f"its field managers are not noted: {why}", is_owner=False))
            elif answer:
                self._made[key] = answer

    def _await_kinds(self, items: Iterable[Item]) -> bool:
        """Waits until new kinds are served. Whether it may go on."""
        for item in items:
            if not rehearse.is_of(item, DEFINITIONS) or item.key not in self._made:
                continue
            try:
                wait_until(
                    partial(is_established, self.cluster, item),
                    f"{item.title} is not served",
                    timeout=ESTABLISHED_TIMEOUT,
                    interval=ESTABLISHED_INTERVAL,
                    clock=self.cluster.clock,
                )
            except TooLateError as error:
                self._end(item, Became.REFUSED, error.what)
                if not self.keep_going:
                    return False
        return True

    def _try_late(self, items: Sequence[Item]) -> bool:
        """Tries what could not be tried before. Whether it may go on."""
        able = [item for item in items if not self._leave_out(item)]
        found = rehearse.try_all(self.cluster, able, self._uids, coming=self.plan.todo)
        for item in able:
            if why := found.refused.get(item.key):
                self._end(item, Became.REFUSED, why)
        return self.keep_going or not found.refused

    def _note_owners(self) -> None:
        """Puts in references to owners that were made after what they own.

        The field managers of these follow: until then it is seen that a run has made them.
        """
        items = [item for item in self.plan.todo if item.key in self._made and has_later(item)]
        manager = manager_of(self.operation)
        for item in items:
            uid, later = self._uids[item.key], [owner for owner in item.owners if owner.later]
            try:
                noted = note_owners(self.cluster, item, later, self._uids, manager, uid)
            except (ApiError, GoneError) as error:
                why = f"its owner is not noted in it: {words(error)}"
                self.notes.append(Note(item, why, is_owner=True))
            else:
                self._made[item.key] = noted or self._made[item.key]
        self._note_managers(items)

    def _complete(self) -> None:
        """Notes what earlier runs have not noted in what they have made."""
        for item in self.plan.unfinished:
            try:
                why = complete(self.cluster, self._journal, item, self._uids, manager_of(self.operation))
            except AdminError as error:
                self.outcomes[item.key] = Outcome(item, Became.UNKNOWN, error.what)
                raise
            if why:
                self._end(item, Became.REFUSED, why)
            elif item.key not in self.outcomes:
                self._end(item, Became.COMPLETED)

    def _take_back(self) -> None:
        """Takes back all that this run has changed, a moment ago: controllers may have written it since."""
        self.say("an object is refused: all that was made is taken back")
        keys = {(key.group, key.plural, key.namespace, key.name): key for key in self.outcomes}
        for one in undo.take_back(self.cluster, self._journal, changed=True):
            self.undone.append(one)
            entry = one.entry
            key = keys.get((entry.resource.group, entry.resource.plural, entry.namespace, entry.name))
            outcome = self.outcomes.get(key) if key else None
            if key is None or outcome is None or one.became is undo.Became.LEFT:
                continue
            if outcome.became in (Became.MADE, Became.PUT_BACK):
                self.outcomes[key] = replace(outcome, became=Became.TAKEN_BACK)

    def _end(self, item: Item, became: Became, why: str = "", left: tuple[str, ...] = ()) -> None:
        self.outcomes[item.key] = Outcome(item, became, why, left)
        if became in (Became.REFUSED, Became.LEFT_OUT):
            self._failed.append(item)
        self.step(len(self.plan.todo) + len(self.plan.unfinished))

    @property
    def _journal(self) -> Journal:
        if self.journal is None:
            raise AssertionError
        return self.journal


def is_established(cluster: Cluster, item: Item) -> bool:
    """Whether a definition's kind is served; that it is established comes a moment before."""
    if not has_condition(cluster.get(item.resource.path("", item.key.name)), "Established"):
        return False
    spec = mapping(item.then.get("spec"))
    versions = [str(one["name"]) for one in spec.get("versions") or () if one.get("served")]
    plural = str(mapping(spec.get("names")).get("plural"))
    for version in versions:
        try:
            cluster.get(f"/apis/{spec.get('group')}/{version}/{plural}", [("limit", "1")])
        except Forbidden:
            continue
        except ApiError:
            return False
    return True


def has_later(item: Item) -> bool:
    """Whether one of its owners is made after it."""
    return any(owner.later for owner in item.owners)

"""Every state that nodes can reach by a table of steps, walked through. Nodes are alike: states are folded.

Of a partition, only this matters to a node: whether its own etcd answers, which takes a majority of nodes on
its side, and whether it reaches a node of the other side. Each look may find nobody, whoever is there. A
restart leaves what is on disk, which is all that a state holds; so does the end of a worker that was killed.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import NamedTuple

from kubectl_admin.etcd.restore.on_nodes.steps import Seen, Table

# A node is a sum of these: what is on its disk, and which keys it has written. TOLD: its journal has GO.
# OVER: its worker has ended without the others. HAND: GO by a file. A fact that no row asks for any more is
# left out.
NEW, COMMITTED, CLOSED, WENT, GOING, TOLD, HERE, ACKED, BACK, OVER, HAND = (1 << bit for bit in range(11))
NAMES = ("new", "committed", "closed", "went", "going", "told", "here", "acked", "back", "over", "hand")


class Go(NamedTuple):
    """GO in the old etcd. key: it is there, until its lease ends. going: some node's key going is there, for
    ever. possible: it may still be put. by_hand: it is a file on a node, for each by itself.
    """

    key: bool = False
    going: bool = False
    possible: bool = True
    by_hand: bool = False


class State(NamedTuple):
    """nodes: in order. served: an API server has served restored data."""

    nodes: tuple[int, ...]
    decided: bool
    go: Go
    served: bool

    def __str__(self) -> str:
        nodes = [
            "+".join(name for bit, name in enumerate(NAMES) if node >> bit & 1) or "as before"
            for node in self.nodes
        ]
        return f"{', '.join(nodes)}; decided {self.decided}, served {self.served}, {self.go}"


class All(NamedTuple):
    """As much of a state as matters to each of its nodes. new, old: which etcd has a majority."""

    new: bool
    old: bool
    acks: bool
    backs: bool
    decided: bool
    go: Go
    all_going: bool
    all_here: bool
    most_here: bool


class Effect(NamedTuple):
    """What a step changes: its node, or what is common to all."""

    node: int
    decides: bool = False
    goes: bool = False
    serves: bool = False


def together(state: State) -> All:
    nodes, half = state.nodes, len(state.nodes) // 2
    new = here = acks = backs = 0
    all_going = True
    for node in nodes:
        new += node & NEW != 0
        here += node & HERE != 0
        acks += node & ACKED != 0
        backs += node & BACK != 0
        all_going = all_going and node & (GOING | WENT) != 0
    return All(
        new > half,
        len(nodes) - new > half,
        acks > half,
        backs > half or (len(nodes) == 1 and nodes[0] & CLOSED != 0),
        state.decided,
        state.go,
        all_going,
        here == len(nodes),
        here > half,
    )


def end(state: State) -> str:
    """In which end this is; empty: in none."""
    if state.served and all(node & NEW and node & COMMITTED for node in state.nodes):
        return "all restored"
    backs = together(state).backs
    if all(not node & NEW and (node & OVER or (backs and node & CLOSED)) for node in state.nodes):
        return "all as before"
    return ""


class Walk:
    """All states that a number of nodes reaches by a table.

    by_hand: GO is a file on each, at any time. refused: steps whose key the old etcd never takes (NOSPACE).
    unarmed: so many nodes have no worker, and stay with the old data.
    """

    def __init__(
        self,
        table: Table,
        count: int,
        *,
        by_hand: bool = False,
        refused: frozenset[str] = frozenset(),
        unarmed: int = 0,
    ) -> None:
        self.table, self.by_hand, self.refused = table, by_hand, refused
        self.effects = cache(self._effects)
        self.first = cache(self._first)
        nodes = (*(0,) * (count - unarmed), *(OVER,) * unarmed)
        start = State(nodes, decided=False, go=Go(possible=not by_hand, by_hand=by_hand), served=False)
        self.states, self.unsafe = {start}, list[State]()
        todo = [start]
        while todo:
            state = todo.pop()
            if state.served and together(state).old:
                self.unsafe.append(state)
                continue
            for following in self.following(state):
                if following not in self.states:
                    self.states.add(following)
                    todo.append(following)

    def following(self, state: State) -> Iterator[State]:
        """Whatever may happen next, with any partition: every row that matches."""
        others = together(state)
        if state.go.possible and others.old:
            yield state._replace(go=Go(key=True, possible=False))
        if state.go.key:
            yield state._replace(go=Go(possible=False))
        for node in set(state.nodes):
            for effect in self.effects(node, others):
                yield after(state, node, effect)

    def _effects(self, node: int, others: All) -> list[Effect]:
        if node & OVER:
            return []
        found = list[Effect]()
        has_quorum = others.new if node & NEW else others.old
        for own in ("silent", "answers") if has_quorum else ("silent",):
            # An own etcd that answers has all that is on its side, and nothing of the other.
            acks = {"few", "most"} if others.acks and others.new else {"few"}
            backs = {"few", "most"} if others.backs and others.old else {"few"}
            if own == "answers" and node & NEW and others.acks:
                acks.discard("few")
            if own == "answers" and not node & NEW and others.backs:
                backs.discard("few")
            for each in product(sorted(acks), sorted(backs), ("no", "yes"), ("no", "yes")):
                reached = dict(zip(("acks", "backs", "enough", "late"), each, strict=True))
                seen = look(node, others, own, **reached)
                steps = [step for step in self.table.matching(seen) if step not in self.refused]
                found += [changed(node, step, others) for step in steps]
        if self.by_hand and not node & HAND:
            found.append(Effect(node | HAND))
        if node & GOING and others.old:
            found.append(Effect(node | TOLD))
        return [*dict.fromkeys(effect for effect in found if effect != Effect(node))]

    def settled(self, state: State) -> list[State]:
        """What comes next when all nodes live and reach each other, the client is dead, and each takes its
        first row. Time passes only when nobody has anything to do: the others are waited for first, then it
        is late for any one of them.
        """
        others = together(state)
        for enough, late in ((False, False), (True, False), (True, True)):
            following = {
                after(state, node, effect)
                for node in set(state.nodes)
                if (effect := self.first(node, others, enough, late))
            }
            if following - {state}:
                return sorted(following - {state})
        return []

    def _first(self, node: int, others: All, enough: bool, late: bool) -> Effect | None:
        if node & OVER:
            return None
        has_quorum = others.new if node & NEW else others.old
        waited = (
            others.all_here or (enough and others.most_here) if node & NEW else others.all_going or enough
        )
        seen = look(
            node,
            others,
            "answers" if has_quorum else "silent",
            acks="most" if others.acks and others.new else "few",
            backs="most" if others.backs and others.old else "few",
            enough=yes(waited),
            late=yes(late),
        )
        steps = (step for step in self.table.matching(seen) if step not in self.refused)
        step = next(steps, None)
        return changed(node, step, others) if step else None

    def ends(self) -> Counter[str]:
        """How many states end how, once all is connected. Where one stops short, it is named; «for ever»
        counts those from which no end can be reached.
        """
        before: dict[State, list[State]] = {state: [] for state in self.states}
        last: Counter[str] = Counter()
        todo, ended = list(before), list[State]()
        while todo:
            state = todo.pop()
            following = self.settled(state)
            if not following:
                last[end(state) or f"stops: {state}"] += 1
                ended.append(state)
            for nxt in following:
                if nxt not in before:
                    before[nxt] = []
                    todo.append(nxt)
                before[nxt].append(state)
        reached = set[State]()
        while ended:
            state = ended.pop()
            if state not in reached:
                reached.add(state)
                ended.extend(before[state])
        if len(before) > len(reached):
            last["for ever"] = len(before) - len(reached)
        return last


def yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


def look(node: int, others: All, own: str, **reached: str) -> Seen:
    """What a node sees. reached: what depends on other nodes and on time."""
    new, answers = bool(node & NEW), own == "answers"
    if node & HAND:
        go = "hand"
    elif node & TOLD or (answers and not new and (others.go.key or others.go.going)):
        go = "key"
    else:
        go = "later" if others.go.by_hand else "no"
    key = (ACKED if node & COMMITTED else HERE) if new else (BACK if node & CLOSED else GOING)
    return Seen(
        side="new" if new else "old",
        committed=yes(bool(node & COMMITTED)),
        closed=yes(bool(node & CLOSED)),
        went=yes(bool(node & WENT)),
        own=own,
        go=go,
        decision="commit" if new and answers and others.decided else "none",
        said=yes(answers and bool(node & key)),
        **reached,
    )


# Which of its facts a step adds to a node, and which it takes away.
ADDED = {
    "here": HERE,
    "commit": COMMITTED,
    "ack": ACKED,
    "follow": NEW | WENT | COMMITTED,
    "go": NEW | WENT,
    "close": CLOSED,
    "say-back": BACK,
    "say-going": GOING,
    "disarm": OVER,
}
TAKEN = {
    "back": NEW | COMMITTED,
    "return": NEW | COMMITTED,
    # No row asks a node that went for these.
    "follow": GOING | TOLD,
    "go": GOING | TOLD,
}


def changed(node: int, step: str, others: All) -> Effect:
    """What a step changes."""
    if step == "return" and not node & CLOSED:
        return Effect(node | CLOSED)  # two lines of the journal, between which it may be cut off
    if step == "say-going" and not (others.go.key or others.go.going):
        return Effect(node)  # its transaction asks for the key that it saw
    return Effect(
        node & ~TAKEN.get(step, 0) | ADDED.get(step, 0),
        decides=step == "decide",
        goes=step == "say-going",
        serves=step == "serve",
    )


def after(state: State, node: int, effect: Effect) -> State:
    """The state after a node's step."""
    nodes, decided, go, served = state
    if effect.node != node:
        changed = list(nodes)
        changed[changed.index(node)] = effect.node
        if effect.node & BACK:
            go = go._replace(possible=False)  # its transaction asks for none of these keys
        nodes = tuple(sorted(changed))
    if effect.goes:
        go = Go(going=True, possible=False)  # the key go tells nobody anything more
    if effect.decides:
        decided = True
    if decided:
        nodes = tuple(sorted(node & ~HERE for node in nodes))  # no row asks for it any more
    return State(nodes, decided, go, served or effect.serves)

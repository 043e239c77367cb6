"""The command line that systemd will give the kubelet at its next start, from the unit's files. Pure.

The running kubelet was started from the files of an earlier day; the next one reads those of the disk.
Source: systemd.unit(5), systemd.exec(5), systemd.service(5), «Command lines».
"""

import fnmatch
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

UNIT = "kubelet.service"
# Directories of units; the first one that has a file counts.
DIRECTORIES = (
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
DROP_INS = (f"{UNIT}.d", "service.d")
PREFIXES = "@-:+!"  # what may stand before a command
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
QUOTED = re.compile(r'"((?:\\.|[^"\\])*)"|\'([^\']*)\'', re.DOTALL)
# A name, the quoted parts at the beginning of its value, and what is behind them up to the end of the line.
ASSIGNMENT = re.compile(
    r"""^[ \t]*(?![#;])([^=\n]+)=((?:[ \t]*(?:"(?:\\.|[^"\\])*"|'[^']*'))*)((?:\\.|[^\\\n])*)""",
    re.DOTALL | re.MULTILINE,
)
VARIABLE = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a command line, and the file that it comes from."""

    text: str
    place: str


@dataclass(frozen=True, slots=True)
class Command:
    """How the unit starts the kubelet.

    program: its path; "" where the unit's files say none. words: its arguments.
    missing: files with variables that the unit names, and that were not among the texts.
    """

    program: str = ""
    words: tuple[Word, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def is_kubelet(self) -> bool:
        """Whether it starts the kubelet itself: a script in between may add words that can't be known."""
        return self.program.rpartition("/")[2] == "kubelet"


@dataclass(slots=True)
class Settings:
    """The files of a unit, added up. files: with variables, in their order, and who names them."""

    variables: dict[str, Word] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    start: Word | None = None


def unit_paths() -> list[str]:
    """All that may hold a part of the unit, to be read."""
    return [f"{directory}/{name}" for directory in DIRECTORIES for name in (UNIT, *DROP_INS)]


def command(texts: Mapping[str, str]) -> Command:
    """The command of the unit whose files are among these texts, by their paths."""
    settings = Settings()
    for path in unit_files(texts):
        apply(settings, path, texts[path])
    variables = dict(settings.variables)
    missing = []
    for pattern in settings.files:
        found = [path for path in texts if fnmatch.fnmatchcase(path, pattern)]
        missing += [] if found else [pattern]
        for path in found:
            variables.update({name: Word(value, path) for name, value in assignments(texts[path])})
    if settings.start is None:
        return Command(missing=tuple(missing))
    program, *words = list(expanded(settings.start, variables)) or [Word("", "")]
    return Command(program.text, tuple(words), tuple(missing))


def readable(pattern: str) -> str:
    """The path to read for a file with variables: itself, or for a pattern the directory that it is in."""
    return pattern.rpartition("/")[0] if set(pattern) & set("*?[") else pattern


def unit_files(texts: Mapping[str, str]) -> list[str]:
    """The files that make the unit, in the order in which they count: itself, then drop-ins by name."""
    own = [path for directory in DIRECTORIES if (path := f"{directory}/{UNIT}") in texts]
    drop_ins: dict[str, str] = {}
    # Of one name the first counts: those for the unit alone before those for all services.
    for kind in DROP_INS:
        for directory in DIRECTORIES:
            for path in texts:
                parent, _, name = path.rpartition("/")
                if parent == f"{directory}/{kind}" and name.endswith(".conf"):
                    drop_ins.setdefault(name, path)
    return [*own[:1], *(drop_ins[name] for name in sorted(drop_ins))]


def apply(settings: Settings, path: str, text: str) -> None:
    """Takes over what a file of the unit says; an empty value takes away what was said before."""
    section = ""
    for line in logical_lines(text):
        if line.startswith("["):
            section = line.strip()
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if section != "[Service]" or not equals:
            continue
        if key == "Environment":
            if not value:
                settings.variables.clear()
            for pair in split(value):
                name, _, word = pair.partition("=")
                settings.variables[name] = Word(word.replace("%%", "%"), path)
        elif key == "EnvironmentFile":
            settings.files = [*settings.files, value.removeprefix("-")] if value else []
        elif key == "ExecStart":
            settings.start = Word(value, path) if value else None


def logical_lines(text: str) -> Iterator[str]:
    """The lines without comments, those that end with a backslash joined with the next."""
    joined = ""
    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith(("#", ";")) or (not bare and not joined):
            continue
        if bare.endswith("\\"):
            joined += f"{bare[:-1]} "
            continue
        yield joined + bare
        joined = ""
    if joined:
        yield joined.strip()


def assignments(text: str) -> Iterator[tuple[str, str]]:
    """The variables of an EnvironmentFile, a pair for each «NAME=VALUE».

    Quotes count at the beginning of a value, and behind another quoted part; in the midst they are kept for
    who splits the value into words. Source: systemd src/basic/env-file.c; seen with systemd 252.
    """
    for name, quoted, rest in ASSIGNMENT.findall(text):
        parts = [
            single if single else ESCAPED.sub(lambda match: in_quotes(match[1]), double)
            for double, single in QUOTED.findall(quoted)
        ]
        plain = ESCAPED.sub(lambda match: match[1].removeprefix("\n"), rest.strip())
        yield name.strip(), "".join((*parts, plain))


def in_quotes(sign: str) -> str:
    """An escaped sign within double quotes: the backslash stays before a sign that needs none."""
    return "" if sign == "\n" else sign if sign in '"\\`$' else f"\\{sign}"


def expanded(line: Word, variables: Mapping[str, Word]) -> Iterator[Word]:
    """The words of a command line: «$NAME» alone becomes the words of its value, «${NAME}» its value."""
    text = line.text.lstrip(PREFIXES)
    for word in split(text):
        if word.startswith("$") and not word.startswith(("$$", "${")):
            value = variables.get(word[1:])
            if value:
                yield from (Word(each, value.place) for each in split(value.text))
            continue
        places = [variables[name] for name in VARIABLE.findall(word) if name in variables]

        def put(match: re.Match[str]) -> str:
            return variables[match[1]].text if match[1] in variables else "" if match[1] else "$"

        yield Word(VARIABLE.sub(put, word).replace("%%", "%"), places[-1].place if places else line.place)


def split(text: str) -> list[str]:
    """Words, as blanks and quotes make them; a backslash takes its meaning from what follows it, and a quote
    that does not end, ends with the text. Source: systemd src/basic/extract-word.c."""
    words: list[str] = []
    word: str | None = None
    quote, escaped = "", False
    for sign in text:
        if escaped:
            word, escaped = (word or "") + sign, False
        elif sign == "\\":
            escaped = True
        elif sign == quote:
            quote = ""
        elif not quote and sign in "\"'":
            quote, word = sign, word or ""
        elif not quote and sign.isspace():
            words += [] if word is None else [word]
            word = None
        else:
            word = (word or "") + sign
    return words if word is None else [*words, word]

"""The command line that systemd will give the kubelet at its next start, from the unit's files. Pure.

What runs was started from the files of an earlier day; what starts next reads those of the disk.
Source: systemd.unit(5), systemd.exec(5), systemd.service(5), «Command lines».
"""

import fnmatch
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

UNIT = "kubelet.service"
# Where units are looked for, what counts first before what counts last.
FOLDERS = (
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
VARIABLE = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
WORD = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a command line, and the file that it comes from."""

    text: str
    place: str


@dataclass(frozen=True, slots=True)
class Command:
    """How the unit starts the kubelet.

    program: the path of what is started; "" where the unit's files say none. words: what it is given.
    missing: files with variables that the unit names, and that were not among the texts.
    """

    program: str = ""
    words: tuple[Word, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def is_kubelet(self) -> bool:
        """Whether it starts the kubelet itself: what a script in between adds can't be known."""
        return self.program.rpartition("/")[2] == "kubelet"


@dataclass(slots=True)
class Settings:
    """What the files of a unit add up to. files: with variables, in their order, and who names them."""

    variables: dict[str, Word] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    start: Word | None = None


def unit_paths() -> list[str]:
    """All that may hold a part of the unit, to be read."""
    return [f"{folder}/{name}" for folder in FOLDERS for name in (UNIT, *DROP_INS)]


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
    """What is to be read for a file with variables: itself, or for a pattern the folder that it is in."""
    return pattern.rpartition("/")[0] if set(pattern) & set("*?[") else pattern


def unit_files(texts: Mapping[str, str]) -> list[str]:
    """The files that make the unit, in the order in which they count: itself, then drop-ins by name."""
    own = [path for folder in FOLDERS if (path := f"{folder}/{UNIT}") in texts]
    drop_ins: dict[str, str] = {}
    # Of one name the first counts: those for the unit alone before those for all services.
    for kind in DROP_INS:
        for folder in FOLDERS:
            for path in texts:
                parent, _, name = path.rpartition("/")
                if parent == f"{folder}/{kind}" and name.endswith(".conf"):
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
    """The variables of an EnvironmentFile."""
    for line in logical_lines(text):
        name, equals, value = line.partition("=")
        if equals:
            # A quote in the midst is kept by systemd for who splits the value into words.
            yield name.strip(), unquoted(value.strip())


def unquoted(value: str) -> str:
    """A value without the quotes around the whole of it."""
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1].replace('\\"', '"') if value[0] == '"' else value[1:-1]
    return value


def expanded(line: Word, variables: Mapping[str, Word]) -> Iterator[Word]:
    """The words of a command line: «$NAME» alone becomes the words of its value, «${NAME}» its value."""
    text = line.text.lstrip(PREFIXES)
    for word in split(text):
        if match := WORD.fullmatch(word):
            value = variables.get(match[1])
            if value:
                yield from (Word(each, value.place) for each in split(value.text))
            continue
        places = [variables[name] for name in VARIABLE.findall(word) if name in variables]

        def put(match: re.Match[str]) -> str:
            return variables[match[1]].text if match[1] in variables else "" if match[1] else "$"

        yield Word(VARIABLE.sub(put, word).replace("%%", "%"), places[-1].place if places else line.place)


def split(text: str) -> list[str]:
    """Words, as quotes make them; where quotes don't end, as blanks make them."""
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()

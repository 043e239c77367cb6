"""The script run on this host: its words as errors of this program."""

from pathlib import Path

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.local import run
from kubectl_admin.etcd.restore.local.run import Here, Told, said
from kubectl_admin.etcd.restore.local.settings import Peer, Settings
from kubectl_admin.etcd.restore.on_nodes.status import Stage

SETTINGS = Settings("0123456789", "own", 0, 5, (Peer("cp-1", "https://10.0.0.1:2380"),))
STATE = "restore over 0123456789 restored\nunit none\nnode cp-1\ndata /d\njournal 1 restored\n\n# end\n"


class Runs:
    """Answers in place of the script, and keeps what was asked."""

    def __init__(self, *answers: Told) -> None:
        self.answers, self.asked = list(answers), list[tuple[list[str], str, bool]]()

    def __call__(self, arguments, given, quiet):
        self.asked.append((list(arguments), given, quiet))
        return self.answers.pop(0)


@pytest.mark.parametrize(
    ("err", "what", "hint"),
    [
        ("error: no\n       do this\n", "no", "do this"),
        ("looking\nerror: no\n", "no", None),
        ("sh: 1: x\n", "sh: 1: x", None),
        ("", "the script on this host has failed", None),
    ],
)
def test_a_refusal_as_an_error(err, what, hint):
    error = said(err)
    assert (error.what, error.hint) == (what, hint)


def test_facts_are_what_it_tells():
    runs = Runs(Told(0, "node cp-1\nquota -\nencryption \ndata /d\n\n# end\n"))
    assert Here(runs).facts(Path("/u")) == {"node": "cp-1", "data": "/d"}
    assert runs.asked == [(["--etcdutl", "/u", "--look"], "", True)]
    with pytest.raises(AdminError, match="unexpected answer"):
        Here(Runs(Told(0, "node cp-1\n"))).facts(None)
    with pytest.raises(AdminError, match="no"):
        Here(Runs(Told(1, "", "error: no"))).facts(None)


def test_a_restore_is_given_its_settings_and_shows_its_words():
    runs = Runs(Told(0), Told(0), Told(0), Told(1))
    here = Here(runs)
    here.check(SETTINGS, Path("-a.db"), ("--own-file",))
    here.rehearse(SETTINGS, Path("/a.db"), ())
    here.restore(SETTINGS, Path("/a.db"), ())
    with pytest.raises(AdminError, match="this node is not restored"):
        here.restore(SETTINGS, None, ())
    lines = "".join(f"{line}\n" for line in SETTINGS.lines())
    assert [(words[1:], given, quiet) for words, given, quiet in runs.asked[:3]] == [
        (["--own-file", "--check"], lines, True),
        (["--dry-run", "--yes"], lines, True),
        (["--yes"], lines, False),
    ]
    assert runs.asked[0][0][0].startswith("/")  # no option


def test_own_data_are_saved_in_one_of_two_ways():
    assert Here(Runs(Told(0, "saved file\n\n# end\n"))).save(Path("/x"), None) == "file"
    with pytest.raises(AdminError, match="has not said"):
        Here(Runs(Told(0, "\n# end\n"))).save(Path("/x"), None)


def test_the_state_of_this_host():
    state = Here(Runs(Told(0, STATE))).status()
    assert (state.node, state.earlier.stage, state.earlier.word) == ("cp-1", Stage.OVER, "restored")
    none = Here(Runs(Told(0, "restore none - -\nunit none\n\n# end\n"))).status()
    assert none.node


def test_the_last_words_of_a_worker(tmp_path):
    (tmp_path / "log").write_text("".join(f"{each}\n" for each in range(9)))
    assert run.last_words(str(tmp_path / "log")) == ["4", "5", "6", "7", "8"]
    assert run.last_words(str(tmp_path / "none")) == []


def test_it_really_runs():
    told = run.run(["--status"], "", True)
    assert (told.code, told.out.endswith("\n# end\n")) == (0, True)
    assert run.run(["--unknown"], "", True).err.startswith("error: unknown: --unknown\n")


def test_an_interrupted_script_puts_back_what_it_has_stopped(tmp_path):
    """subprocess.run would kill it, a quarter of a second after Ctrl-C.

    Python does not see a signal that comes just before it waits (see tests/program.py), so it comes again.
    """
    script = f"""trap 'sleep 0.5; : > {tmp_path}/put-back; exit 130' TERM
read -r given
while :; do kill -INT $PPID; sleep 5 & wait; done"""
    with pytest.raises(KeyboardInterrupt):
        run.until_ended(["/bin/sh", "-c", script], "given\n", None)
    assert (tmp_path / "put-back").exists()

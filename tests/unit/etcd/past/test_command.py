"""Commands and shells that look into an opened snapshot."""

import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.etcd.past import command
from tests.unit.etcd.past.samples import PAST

ENVIRON = {"PATH": os.defpath}


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("exit 0", 0),
        ("exit 7", 7),
        ("kill -TERM $$", 143),
        ('test "$KUBECONFIG" = /k && test "$A" = b', 0),
        ('test "$KUBECACHEDIR" = /cache', 0),
    ],
)
def test_the_exit_code_is_the_commands(script, code):
    assert command.run(["sh", "-c", script], {**ENVIRON, "A": "b"}, Path("/k")) == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_are_the_commands(number):
    before = signal.getsignal(number)
    trap = f"trap 'exit 9' {number.name.removeprefix('SIG')}"
    # Python does not see a signal that comes just before it waits (see tests/program.py), so it comes again.
    script = f"{trap}; while :; do kill -{number.value} $PPID; sleep 5 & wait; done"
    assert command.run(["sh", "-c", script], ENVIRON, Path("/k")) == 9
    assert signal.getsignal(number) == before


def test_while_it_runs_it_is_looked_whether_it_is_still_open(monkeypatch, tmp_path):
    monkeypatch.setattr(command, "LOOK_INTERVAL", 0.01)
    seen = tmp_path / "seen"
    script = f"until [ -e {seen} ]; do sleep 0.01; done; exit 5"
    assert command.run(["sh", "-c", script], ENVIRON, Path("/k"), seen.touch) == 5


def test_a_command_that_is_not_there_is_refused_beforehand():
    command.refuse_missing(["sh"], ENVIRON)
    command.refuse_missing([], ENVIRON)
    with pytest.raises(UsageError, match=r"^no-such: there is no such command$"):
        command.refuse_missing(["no-such"], ENVIRON)


def test_a_command_that_can_not_be_run():
    with pytest.raises(AdminError, match=r"^/ can't be run: Permission denied$"):
        command.run(["/"], ENVIRON, Path("/k"))


def test_the_title_holds_nothing_that_a_shell_reads():
    past = replace(PAST, path=Path("/b/$(touch x)`y`\\h\n.db"))
    assert command.title(past) == "past: __touch x__y__h_.db, 2026-11-30 12:00Z"
    assert command.title(replace(PAST, moment=None)) == "past: snapshot.db"


@pytest.mark.parametrize("shell", ["/bin/bash", "/bin/dash", ""])
def test_a_shell_says_in_its_prompt_that_this_is_the_past(shell, tmp_path):
    environ = {**ENVIRON, "HOME": str(tmp_path), **({"SHELL": shell} if shell else {})}
    kubeconfig = tmp_path / "kube config"
    (tmp_path / ".bashrc").write_text("export KUBECONFIG=/live KUBECACHEDIR=/live\n", encoding="utf-8")
    argv, own = command.shell(environ, PAST, kubeconfig)
    # A program that sets the prompt may set it as well, as direnv does.
    later = "KUBECONFIG=/live" if shell.endswith("bash") else ":"
    told = f'echo "<$PS1>"; {later}; echo\nsh -c \'echo "is $KUBECONFIG, $KUBECACHEDIR"\'\n'
    done = subprocess.run(argv, env=own, input=told, capture_output=True, text=True, check=False, timeout=60)
    assert "<(past: snapshot.db, 2026-11-30 12:00Z) " in done.stdout
    assert f"is {kubeconfig}, {tmp_path}/cache\n" in done.stdout


def test_zsh_reads_its_own_file_first(tmp_path):
    argv, own = command.shell(
        {**ENVIRON, "SHELL": "/usr/bin/zsh", "ZDOTDIR": "/z"}, PAST, tmp_path / "kubeconfig"
    )
    assert argv == ["/usr/bin/zsh", "-i"]
    assert (own["ZDOTDIR"], own["KUBECTL_ADMIN_ZDOTDIR"]) == (str(tmp_path), "/z")
    text = (tmp_path / ".zshrc").read_text(encoding="utf-8")
    assert text.index("/.zshrc") < text.index("readonly KUBECONFIG") < text.index("$KUBECTL_ADMIN_PAST)")

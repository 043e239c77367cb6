"""The kubeconfig of an opened snapshot, and its directory."""

import json
import os
import subprocess
import sys
from base64 import b64decode
from pathlib import Path

from kubectl_admin.etcd.past import kubeconfig
from kubectl_admin.etcd.past.certificates import make


def test_it_leads_to_the_loopback_with_a_token():
    keys = make()
    said = json.loads(kubeconfig.text(4711, keys, "shop"))
    cluster = said["clusters"][0]["cluster"]
    assert cluster["server"] == "https://127.0.0.1:4711"
    assert b64decode(cluster["certificate-authority-data"]) == keys.authority
    assert said["users"][0]["user"] == {"token": keys.token}
    assert said["contexts"][0]["context"]["namespace"] == "shop"
    assert "namespace" not in json.loads(kubeconfig.text(1, keys, ""))["contexts"][0]["context"]


def test_it_is_for_its_owner_alone_and_gone_afterwards(tmp_path):
    with kubeconfig.guarded_directory({"XDG_RUNTIME_DIR": str(tmp_path)}) as directory:
        path = kubeconfig.write(directory, "secret")
        assert directory.parent == tmp_path
        assert (directory.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)
        assert kubeconfig.connect.__doc__
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_not_ones_own_is_not_taken():
    assert kubeconfig.parent({"XDG_RUNTIME_DIR": "/nonexistent"}) == kubeconfig.parent({})


def test_nothing_is_left_of_a_process_that_is_killed(tmp_path):
    script = (
        "import os\n"
        "from kubectl_admin.etcd.past import kubeconfig\n"
        "with kubeconfig.guarded_directory(os.environ) as directory:\n"
        "    kubeconfig.write(directory, 'secret')\n"
        "    print(directory, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    environ = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=False, timeout=60
    )
    directory = Path(done.stdout.strip())
    assert directory.parent == tmp_path
    # The guard is a process of its own: its end is waited for by what it does.
    subprocess.run(
        ["sh", "-c", 'while [ -e "$1" ]; do sleep 0.05; done', "wait", str(directory)], check=True, timeout=60
    )

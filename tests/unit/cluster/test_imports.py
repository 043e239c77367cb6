import importlib
import subprocess
import sys
import threading

import pytest

from kubectl_admin.cluster.imports import without

UNUSED = "colorsys"  # a module of Python's own that nothing here imports


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def unused():
    sys.modules.pop(UNUSED, None)
    yield UNUSED
    sys.modules.pop(UNUSED, None)


def test_a_module_is_not_found_inside_and_is_afterwards(unused):
    with without(unused), pytest.raises(ModuleNotFoundError, match=unused):
        importlib.import_module(unused)
    assert importlib.import_module(unused).__name__ == unused


def test_another_thread_finds_it_meanwhile(unused):
    found = []
    with without(unused):
        thread = threading.Thread(target=lambda: found.append(importlib.import_module(unused).__name__))
        thread.start()
        thread.join()
    assert found == [unused]


def test_a_module_that_is_there_already_stays(unused):
    importlib.import_module(unused)
    with without(unused):
        assert importlib.import_module(unused).__name__ == unused


@pytest.mark.parametrize("package", ["python_socks", "backports.zstd"])
def test_channels_come_without_what_they_do_not_use(package):
    loaded = f"print({package!r} in sys.modules)"
    said = run(f"import sys, kubectl_admin.cluster.channels\n{loaded}\nimport {package}\n{loaded}")
    assert said.split() == ["False", "True"]

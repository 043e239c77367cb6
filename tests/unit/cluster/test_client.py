import subprocess
import sys

import pytest

REST = "import kubectl_admin.cluster.client, sys\n"


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_the_rest_client_comes_without_the_rest_of_its_package():
    loaded = run(f"{REST}print(*{{name.partition('.')[0] for name in sys.modules}})").split()
    assert "urllib3" in loaded
    assert not {"pydantic", "requests", "oauthlib", "dateutil", "yaml", "websocket"} & {*loaded}


def test_a_connection_comes_without_the_channels_of_exec_and_port_forward():
    assert run("import kubectl_admin.cluster.connection, sys; print('websocket' in sys.modules)") == "False\n"


@pytest.mark.parametrize(
    "use",
    [
        "import kubernetes; print(kubernetes.__version__ and kubernetes.config.load_kube_config.__name__)",
        "from kubernetes import config; print(config.load_kube_config.__name__)",
        "from kubernetes.utils import parse_quantity; print('load_kube_config' if parse_quantity(1) else '')",
        "import kubernetes.config; print(kubernetes.config.load_kube_config.__name__)",
        "from kubernetes.config import load_kube_config; print(load_kube_config.__name__)",
    ],
)
def test_who_wants_the_rest_of_the_package_has_it(use):
    assert run(REST + use) == "load_kube_config\n"


def test_a_package_that_has_run_already_is_left_as_it_is():
    assert run(f"import kubernetes as before\n{REST}print(sys.modules['kubernetes'] is before)") == "True\n"


def test_what_the_package_does_not_have_is_an_attribute_error():
    assert run(f"{REST}import kubernetes\nprint(hasattr(kubernetes, 'nothing'))") == "False\n"

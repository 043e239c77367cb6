"""The REST client of the kubernetes package, imported without the rest of the package.

Python runs a package's own code before it imports any of its modules, and that of `kubernetes` imports all
that it has to offer, and with it pydantic, requests and oauthlib: 0.15 s before the first request is sent. So
the packages around the REST client are entered here as they are before their code runs.
"""

import importlib.util
import sys
from typing import Any

__all__ = ["Configuration", "RESTClientObject", "should_bypass_proxies", "tcp_keepalive_socket_options"]


def postpone(name: str) -> None:
    """Lets a package's modules be imported before its own code has run, unless it has run already.

    The code runs as soon as anything else is wanted of the package, so that nobody else sees a difference.
    """
    spec = None if name in sys.modules else importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        return
    loader, package = spec.loader, importlib.util.module_from_spec(spec)

    def run(attribute: str) -> Any:
        del package.__getattr__
        loader.exec_module(package)
        return getattr(package, attribute)

    package.__getattr__ = run  # type: ignore[method-assign]
    sys.modules[name] = package


postpone("kubernetes")
postpone("kubernetes.utils")

from kubernetes.client.configuration import Configuration  # noqa: E402
from kubernetes.client.rest import RESTClientObject, should_bypass_proxies  # noqa: E402
from kubernetes.utils.keepalive import tcp_keepalive_socket_options  # noqa: E402

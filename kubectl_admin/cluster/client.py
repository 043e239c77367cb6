"""The REST client of the kubernetes package, imported without the rest of the package.

Python runs a package's own code before it imports any of its modules, and that of `kubernetes` imports all
that it has to offer, and with it pydantic, requests and oauthlib: 0.15 s before the first request is sent. So
the packages around the REST client are entered here as they are before their code runs.
"""

from kubectl_admin.cluster.imports import postpone, without

__all__ = ["Configuration", "RESTClientObject", "should_bypass_proxies", "tcp_keepalive_socket_options"]


postpone("kubernetes")
postpone("kubernetes.utils")

# Answers are compressed by gzip (`transport`).
with without("backports.zstd"):
    from kubernetes.client.configuration import Configuration
    from kubernetes.client.rest import RESTClientObject, should_bypass_proxies
    from kubernetes.utils.keepalive import tcp_keepalive_socket_options

"""The part of websocket-client that is used, imported without its package for SOCKS proxies.

It never does: it is given a socket that is connected (`dial`).
"""

from kubectl_admin.cluster.imports import without

with without("python_socks"):
    import websocket
    from websocket import ABNF, _handshake
    from websocket._abnf import frame_buffer
    from websocket._cookiejar import SimpleCookieJar

__all__ = ["ABNF", "SimpleCookieJar", "_handshake", "frame_buffer", "websocket"]

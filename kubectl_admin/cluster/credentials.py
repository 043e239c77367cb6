"""Who asks: the headers and the client certificate that go with every request, renewed when they run out.

Source: client-go tools/clientcmd/client_config.go (what wins over what), transport/token_source.go.
"""

import base64
import json
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kubectl_admin.cluster import plugin
from kubectl_admin.cluster.kubeconfig import Target
from kubectl_admin.errors import AdminError

TOKEN_FILE_AGE = 60.0  # seconds until a token file is read again
HEADER_CHARACTERS = "!#$&'*+-.^_`|~"  # may stand in a header's name, besides letters and digits (RFC 9110)
Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Identity:
    """What a request shows of who asks.

    headers: the same name more than once for several groups. certificate: with its key, as PEM, if any.
    """

    headers: Headers = field(repr=False)
    certificate: bytes | None = field(repr=False)


class Credentials:
    """The credentials of one user; safe to use from many threads."""

    def __init__(self, target: Target) -> None:
        self._target = target
        # Never a secret over plain HTTP, as in clientcmd.
        self._user = target.user if target.server.startswith("https://") else {}
        self._impersonation = impersonation(target)
        self._certificate = None if self.from_plugin or not self._user else static_certificate(target)
        self._lock = threading.Lock()
        self._credential: plugin.Credential | None = None
        self._token_file: tuple[float, str] | None = None

    @property
    def from_plugin(self) -> bool:
        """Whether a plugin is asked: not where the kubeconfig or the flags hold a credential themselves."""
        static = ("token", "tokenFile", "username", "client-certificate", "client-certificate-data")
        return "exec" in self._user and not any(name in self._user for name in static)

    def identity(self) -> "Identity":
        """What the next request shows; asks the plugin first if its last credential has expired.

        Raises AdminError if there is no getting a credential.
        """
        issued = self._issued() if self.from_plugin else None
        authorization = bearer(issued.token) if issued else self._authorization()
        headers = [("Authorization", authorization)] if authorization else []
        certificate = pem(issued.certificate, issued.key) if issued else self._certificate
        return Identity([*headers, *self._impersonation], certificate)

    def renew(self, refused: "Identity") -> bool:
        """After a request with this identity was not accepted (401): whether another try may do better.

        It may if there is a plugin to ask again; the next `identity` does so, unless another thread has.
        """
        if not self.from_plugin:
            return False
        if self.identity() == refused:
            with self._lock:
                self._credential = None
        return True

    def _authorization(self) -> str | None:
        user = self._user
        if "tokenFile" in user:
            return bearer(self._token_of_file())
        if "token" in user:
            return bearer(str(user["token"]))
        if "username" in user or "password" in user:
            pair = f"{user.get('username', '')}:{user.get('password', '')}"
            return "Basic " + base64.b64encode(pair.encode()).decode()
        if "auth-provider" in user:
            return bearer(identity_token(user["auth-provider"], self._target.user_name))
        return None

    def _issued(self) -> plugin.Credential:
        with self._lock:
            if self._credential is None or self._credential.expired:
                self._credential = plugin.run(self._target)
            return self._credential

    def _token_of_file(self) -> str:
        """The token file's token, read again now and then since it may be replaced; else `token`."""
        now = time.monotonic()
        with self._lock:
            if self._token_file is None or now - self._token_file[0] > TOKEN_FILE_AGE:
                try:
                    token = Path(self._user["tokenFile"]).read_text().strip()
                except OSError as error:
                    token = self._token_file[1] if self._token_file else str(self._user.get("token", ""))
                    if not token:
                        raise AdminError(
                            f"open {self._user['tokenFile']}: {str(error.strerror).lower()}"
                        ) from None
                self._token_file = (now, token)
            return self._token_file[1]


def bearer(token: str) -> str | None:
    """The header's value for a token; None for none."""
    return f"Bearer {token}" if token else None


def pem(certificate: str, key: str) -> bytes | None:
    """A certificate and its key as one text; None for none."""
    return f"{certificate}\n{key}".encode() if certificate else None


def static_certificate(target: Target) -> bytes | None:
    """The kubeconfig's client certificate and its key as one PEM text; None for a user without."""
    certificate, key = material(target, "client-certificate"), material(target, "client-key")
    return certificate + b"\n" + key if certificate and key else None


def impersonation(target: Target) -> Headers:
    """The headers that ask to be somebody else. Source: client-go transport/round_trippers.go."""
    user = target.user
    headers = [("Impersonate-User", str(user["as"]))] if "as" in user else []
    headers += [("Impersonate-Uid", str(user["as-uid"]))] if "as-uid" in user else []
    headers += [("Impersonate-Group", str(group)) for group in user.get("as-groups", ())]
    for key, values in user.get("as-user-extra", {}).items():
        name = f"Impersonate-Extra-{quote(key, safe=HEADER_CHARACTERS)}"
        headers += [(name, str(value)) for value in values]
    return headers


def material(target: Target, field: str) -> bytes | None:
    """A certificate or key of the kubeconfig, from its data or its file; None where there is none."""
    entry = target.cluster if field == "certificate-authority" else target.user
    if data := entry.get(f"{field}-data"):
        try:
            return base64.b64decode(data)
        except ValueError:
            raise AdminError(f"{field}-data in the kubeconfig is not base64") from None
    try:
        return Path(entry[field]).read_bytes() if field in entry else None
    except OSError as error:
        raise AdminError(f"unable to read {field} {entry[field]}: {str(error.strerror).lower()}") from None


def identity_token(provider: dict[str, Any], user_name: str) -> str:
    """The ID token of an OIDC user while it is valid; refreshing it is left to kubectl, which stores it.

    Raises AdminError for an expired token, and for the providers that kubectl has dropped.
    """
    name = provider.get("name")
    if name != "oidc":
        raise AdminError(f'no Auth Provider found for name "{name}"', "kubectl itself supports only oidc")
    token = str((provider.get("config") or {}).get("id-token", ""))
    if expired(token):
        raise AdminError(
            f'the ID token of user "{user_name}" is missing or has expired',
            "run any kubectl command to have it refreshed and stored (kubectl version, for one)",
        )
    return token


def expired(token: str) -> bool:
    """Whether a JSON web token is none, or one whose time has passed."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return bool(time.time() >= claims.get("exp", float("inf")))
    except (IndexError, ValueError, AttributeError):
        return True

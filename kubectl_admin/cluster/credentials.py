"""Who asks: the headers and the client certificate that go with every request, renewed when they run out.

Source: client-go tools/clientcmd/client_config.go (what wins over what), transport/token_source.go.
"""

import base64
import math
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kubectl_admin.clock import Clock
from kubectl_admin.cluster import plugin, tls
from kubectl_admin.cluster.decode import decode_object, is_text
from kubectl_admin.cluster.errors import NothingSent
from kubectl_admin.cluster.kubeconfig import Target, material
from kubectl_admin.errors import AdminError

CERTIFICATE_FILE_AGE = 300.0  # seconds until files with a certificate and its key are read again
FAILURE_AGE = 10.0  # seconds until a plugin that has failed is run again
TOKEN_FILE_AGE = 60.0  # seconds until a token file is read again
HEADER_CHARACTERS = "!#$&'*+-.^_`|~"  # may stand in a header's name, besides letters and digits (RFC 9110)
Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, as a request shows it.

    headers: the same name more than once for several groups. certificate: with its key, as PEM, if any.
    """

    headers: Headers = field(repr=False)
    certificate: bytes | None = field(repr=False)


class Credentials:
    """The credentials of one user; safe to use from many threads."""

    def __init__(self, target: Target, clock: Clock = time) -> None:
        self._clock = clock
        self._target = target
        # Never a secret over plain HTTP, as in clientcmd.
        self._user = target.user if target.server.startswith("https://") else {}
        self._impersonation = impersonation(target)
        self._certificate = None if self.from_plugin or not self._user else static_certificate(target)
        self._certificate_read = self._clock.monotonic()
        self._lock = threading.Lock()
        self._credential: plugin.Credential | None = None
        self._refused = False  # whether a server did not accept the credential
        self._failure: tuple[float, AdminError] | None = (
            None  # until when the plugin is not run again, and why
        )
        self._token_file: tuple[float, str] | None = None

    @property
    def from_plugin(self) -> bool:
        """Whether a plugin is asked: not where the kubeconfig or the flags hold a credential themselves."""
        static = ("token", "tokenFile", "username", "client-certificate", "client-certificate-data")
        return "exec" in self._user and not any(name in self._user for name in static)

    def identity(self) -> "Identity":
        """Who asks, for the next request; runs the plugin first if its credential has expired.

        Once there was a credential, a plugin that fails may do better a little later: the credential is used
        while it lasts, and NothingSent is raised after that. Raises AdminError if there never was one. A
        plugin that has failed is left alone for FAILURE_AGE; one that may have asked a person does not
        ask twice.
        """
        if self.from_plugin:
            return self._issued_identity(self._issued())
        return self._shown(self._authorization(), self._static_certificate())

    def renew(self, refused: "Identity") -> bool:
        """After a request with this identity was not accepted (401): whether another try may do better.

        It may if there is a plugin to ask again; the next `identity` does so, unless another thread has. It
        may as well if files hold another one by now.
        """
        if self.from_plugin:
            with self._lock:
                if self._credential and self._issued_identity(self._credential) == refused:
                    self._refused = True
            return True
        with self._lock:
            self._certificate_read = -math.inf
            if self._token_file:
                self._token_file = -math.inf, self._token_file[1]
        return self.identity() != refused

    def _issued_identity(self, issued: plugin.Credential) -> "Identity":
        return self._shown(bearer(issued.token), pem(issued.certificate, issued.key))

    def _shown(self, authorization: str | None, certificate: bytes | None) -> "Identity":
        headers = [("Authorization", authorization)] if authorization else []
        headers += self._impersonation
        for name, value in headers:
            if not is_sendable(value):
                # Its name is all that is told of it.
                raise AdminError(
                    f'invalid header field value for "{name}" of user "{self._target.user_name}": '
                    "it has a line break or another control character in it",
                    'in a kubeconfig, "token: |" keeps the line break at the end: write it as "token: …"'
                    if name == "Authorization"
                    else None,
                )
        return Identity(headers, certificate)

    def _static_certificate(self) -> bytes | None:
        """The kubeconfig's certificate; one in files is read again now and then, since it may be replaced.

        Source: client-go transport/cert_rotation.go (CertCallbackRefreshDuration, five minutes).
        """
        if self._certificate and {"client-certificate", "client-key"} & set(self._user):
            now = self._clock.monotonic()
            with self._lock:
                if now - self._certificate_read > CERTIFICATE_FILE_AGE:
                    self._certificate_read = now
                    # A pair that is half replaced does not count yet.
                    with suppress(AdminError):
                        found = static_certificate(self._target)
                        if found and tls.is_pair(found):
                            self._certificate = found
        return self._certificate

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
            had = self._credential
            if had and not had.expired and not self._refused:
                return had
            self._refused = False  # asked again once for each refusal, whatever comes of it
            if self._failure is None or self._clock.monotonic() >= self._failure[0]:
                try:
                    self._failure, self._credential = None, plugin.run(self._target)
                except AdminError as error:
                    asks = plugin.may_ask(self._user["exec"])
                    self._failure = (math.inf if asks else self._clock.monotonic() + FAILURE_AGE), error
                else:
                    return self._credential
            if had and not had.expired:
                return had
            again, reason = self._failure
            raise (NothingSent if had and again < math.inf else AdminError)(
                reason.what, reason.hint
            ) from reason

    def _token_of_file(self) -> str:
        """The token file's token, read again now and then since it may be replaced; else `token`."""
        now = self._clock.monotonic()
        with self._lock:
            if self._token_file is None or now - self._token_file[0] > TOKEN_FILE_AGE:
                try:
                    token = Path(self._user["tokenFile"]).read_text().strip()
                except (OSError, UnicodeDecodeError) as error:
                    token = self._token_file[1] if self._token_file else str(self._user.get("token", ""))
                    if not token:
                        reason = str(getattr(error, "strerror", "it is not text")).lower()
                        raise AdminError(f"open {self._user['tokenFile']}: {reason}") from None
                self._token_file = (now, token)
            return self._token_file[1]


def is_sendable(value: str) -> bool:
    """Whether a header may have this value. Source: Go, x/net/http/httpguts, ValidHeaderFieldValue."""
    controls = any((letter < " " and letter != "\t") or letter == "\x7f" for letter in value)
    return is_text(value) and not controls


def bearer(token: str) -> str | None:
    """The header's value for a token, or None."""
    return f"Bearer {token}" if token else None


def pem(certificate: str, key: str) -> bytes | None:
    """A certificate and its key as one text, or None."""
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
        claims = decode_object(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), "claims")
        return bool(time.time() >= claims.get("exp", math.inf))
    except (IndexError, ValueError, TypeError, AdminError):
        return True

"""What the settings say about the identity provider."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from reports.web.access.users_file import Role
from reports.web.server.server import is_loopback
from runner.errors import ConfigError
from runner.settings.secrets import Secret
from runner.settings.settings import Settings

NEEDED = ("oidc_client_id", "oidc_client_secret", "oidc_roles")
CALLBACK = "/sign-in/oidc/callback"
"""The path to which the provider sends browsers back."""
BACK_CHANNEL = "/sign-in/oidc/logout"
"""The path at which the provider itself says that a user has signed out there."""


class OidcConfiguration(Struct, frozen=True, kw_only=True):
    """An identity provider, this dashboard as its client, and whom it lets in."""

    issuer: str
    client_id: str
    client_secret: Secret
    scopes: tuple[str, ...]
    role_claims: tuple[str, ...]
    roles: Mapping[str, Role]
    """The role of each value of these claims; the highest one counts."""
    name_claim: str
    ca_file: Path | None = None

    @property
    def host(self) -> str:
        """The provider's name for people."""
        return urlsplit(self.issuer).netloc.rpartition("@")[2]

    @property
    def fingerprint(self) -> str:
        """A text that changes with everything that decides who is let in."""
        decides = [self.issuer, self.client_id, self.role_claims, sorted(self.roles.items())]
        return sha256(msgspec.json.encode(decides)).hexdigest()[:16]


def read_oidc_configuration(settings: Settings) -> OidcConfiguration | None:
    """The provider that the settings name; None if they name none. Raises ConfigError for settings that lack something."""
    if settings.oidc_issuer is None:
        lonely = [name for name in NEEDED if getattr(settings, name)]
        if lonely:
            raise ConfigError(
                f"{lonely[0]} is set, but oidc_issuer is not; set oidc_issuer to the address of the identity provider, such as "
                "'https://login.example/realms/staff'"
            )
        return None
    missing = [name for name in NEEDED if not getattr(settings, name)]
    if missing:
        are = "is" if len(missing) == 1 else "are"
        fix = {
            "oidc_client_id": "oidc_client_id to the name under which the provider knows the dashboard",
            "oidc_client_secret": "JOURNEY_OIDC_CLIENT_SECRET (or oidc_client_secret_file) to the secret that it has created for it",
            "oidc_roles": "oidc_roles to who may do what, such as { monitoring = 'view', operators = 'operate' }; others have no access",
        }
        raise ConfigError(
            f"oidc_issuer is set, but {' and '.join(missing)} {are} not; set {'; set '.join(fix[one] for one in missing)}"
        )
    check_public_url(settings)
    secret = settings.oidc_client_secret
    return OidcConfiguration(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id or "",
        client_secret=secret or Secret(""),
        scopes=settings.oidc_scopes,
        role_claims=settings.oidc_role_claims,
        roles=settings.oidc_roles,
        name_claim=settings.oidc_name_claim,
        ca_file=settings.oidc_ca_file,
    )


def check_public_url(settings: Settings) -> None:
    """Raises ConfigError unless it is known to which address the provider sends browsers back, and that nobody reads what it sends there."""
    public = settings.public_url or ""
    if public.startswith("https://"):
        return
    if not public and is_loopback(settings.serve_listen):
        return
    if public and is_loopback(_host_and_port(public)):
        return
    what = f"is {public}, which anybody on the way can read" if public else "is not set"
    raise ConfigError(
        f"oidc_issuer: the provider sends browsers back to public_url, which {what}; set public_url to the https "
        f"address of the dashboard, and register that address with {CALLBACK} at the provider"
    )


def _host_and_port(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.hostname}:{parts.port or 80}"

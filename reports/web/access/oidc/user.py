"""A user who comes back from the identity provider."""

from msgspec import Struct

from reports.web.access.users_file import Role


class OidcUser(Struct, frozen=True):
    """Somebody whom the provider has authenticated, and who has a role here."""

    name: str
    role: Role
    credential: str

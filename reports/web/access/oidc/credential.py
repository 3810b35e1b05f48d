"""What the store keeps of a session that the identity provider has vouched for: 64 characters, none of which opens anything.

They hold the role, whether the user has just proved to be present, which settings were in force, and a hash of the subject. So a session
ends when the settings no longer say the same, and a user is recognized without the provider.
"""

from hashlib import sha256

from reports.web.access.oidc.configuration import OidcConfiguration
from reports.web.access.users_file import Role

PREFIX = "oidc"
"""No hash in hexadecimal begins like this."""
_ROLES: dict[str, Role] = {"v": "view", "o": "operate"}


def make_credential(configuration: OidcConfiguration, subject: str, role: Role, again: bool) -> str:
    """The credential of a user of the provider."""
    return f"{PREFIX}{role[0]}{'a' if again else '-'}{configuration.fingerprint}{_hash_owner(configuration, subject)}"


def read_role(credential: str, configuration: OidcConfiguration) -> Role | None:
    """The role in a credential; None if it was made by other settings, or is not of a provider."""
    if not is_of_provider(credential) or credential[6:22] != configuration.fingerprint:
        return None
    return _ROLES.get(credential[4])


def is_of_provider(credential: str) -> bool:
    """Whether it is of a session that a provider has vouched for."""
    return credential.startswith(PREFIX)


def has_proved_presence(credential: str) -> bool:
    """Whether the user was asked to authenticate again for this session."""
    return is_of_provider(credential) and credential[5] == "a"


def owner_pattern(credential: str) -> str:
    """The SQL pattern of all credentials of the same user, whatever the role."""
    return f"{PREFIX}__{credential[6:]}"


def subject_pattern(configuration: OidcConfiguration, subject: str) -> str:
    """The SQL pattern of all credentials of a subject, whatever the role and the settings were."""
    return f"{PREFIX}{'_' * 18}{_hash_owner(configuration, subject)}"


def _hash_owner(configuration: OidcConfiguration, subject: str) -> str:
    return sha256(f"{configuration.issuer}\0{subject}".encode("utf-8", "surrogatepass")).hexdigest()[:42]

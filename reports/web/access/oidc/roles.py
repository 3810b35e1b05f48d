"""Who a user of the identity provider is here: the name, and the role from the values of claims."""

from collections.abc import Mapping
from typing import Any

from reports.web.access.oidc.configuration import OidcConfiguration
from reports.web.access.oidc.errors import OidcError
from reports.web.access.users_file import Role
from runner.untrusted_text import printable, tamed, well_formed

LONGEST_NAME = 64
"""Characters."""


def find_role(configuration: OidcConfiguration, claims: Mapping[str, Any]) -> Role:
    """The highest role of a user. Raises OidcError if there is none."""
    values: list[str] = []
    missing: list[str] = []
    unverified = False
    for name in configuration.role_claims:
        found = list_values(claims, name)
        if not found:
            missing.append(name)
        elif name == "email" and claims.get("email_verified") is not True:
            # Whoever may write any address into a profile would be let in by it.
            unverified = True
        else:
            values += found
    roles = {configuration.roles[one] for one in values if one in configuration.roles}
    if roles:
        return "operate" if "operate" in roles else "view"
    user = find_name(configuration, claims)
    if unverified:
        cause = (
            f"oidc_role_claims: the provider has not verified the address of {user} (the claim email_verified); let it do so"
        )
    elif len(missing) == len(configuration.role_claims):
        cause = (
            f"oidc_role_claims: {' and '.join(missing)} of {user} is neither in the ID token nor in the user info; let the provider "
            "add it for this client, request the scope that it needs (oidc_scopes), or name another claim"
        )
    else:
        shown = tamed(", ".join(values), 300)
        cause = f"oidc_roles: no role is set for what {user} has in {' and '.join(configuration.role_claims)}: {shown}"
    raise OidcError(
        f"{user} has signed in at {configuration.host}, but has no access to this dashboard. Ask whoever runs it for a role.",
        cause,
        403,
    )


def list_values(claims: Mapping[str, Any], name: str) -> list[str]:
    """The texts in a claim: itself, those of a list, or the keys of an object. A name with dots is also a path into objects.

    >>> list_values({"realm_access": {"roles": ["sre", "dev"]}}, "realm_access.roles")
    ['sre', 'dev']
    """
    found: Any = claims.get(name)
    if found is None and "." in name:
        found = claims
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    listed = list(found) if isinstance(found, list | Mapping) else [found]
    return [str(one) for one in listed if isinstance(one, str | int) and not isinstance(one, bool)]


def find_name(configuration: OidcConfiguration, claims: Mapping[str, Any]) -> str:
    """The name that is shown: of the configured claim, else the address, else the subject."""
    for name in (configuration.name_claim, "email", "sub"):
        value = claims.get(name)
        shown = " ".join(printable(well_formed(value[:1000])).split()) if isinstance(value, str) else ""
        if shown:
            return shown if len(shown) <= LONGEST_NAME else f"{shown[: LONGEST_NAME - 1]}…"
    return "unknown"

"""`journey user`: who may use the dashboard."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from runner.cli import given, manual
from runner.errors import ConfigError
from runner.installation import install_command

app = typer.Typer(cls=manual.Group, help="Manage who may use the dashboard of `journey serve`.", no_args_is_help=True)
DEFAULT = Path("dashboard-users")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The user's name: letters, digits and ._@+-")]
File = Annotated[
    Path | None, typer.Option("--users", metavar="FILE", help="The file of users (default: serve_users, else dashboard-users).")
]


@app.command("add")
def add(
    name: Name,
    role: Annotated[
        str, typer.Option(help="view: look; operate: also pause and resume journeys, mute alerts, edit incidents.")
    ] = "view",
    no_password: Annotated[
        bool, typer.Option("--no-password", help="For a user who is authenticated by a reverse proxy.")
    ] = False,
    file: File = None,
) -> None:
    """Add a user of the dashboard, or change a user's role and password. Takes effect at once, also on a running dashboard.

    The password is asked for, or read from standard input if that is not a terminal.

    Example: journey user add ada --role operate
    """
    try:
        from reports.web.access.passwords.hashing import hash_password, prepare_hasher
        from reports.web.access.users_file import NAME, NO_PASSWORD, ROLES, User, changing_users
    except ModuleNotFoundError as error:
        raise ConfigError(f"user: {error.name} is missing; install it with: {install_command('serve')}") from error
    if not NAME.fullmatch(name):
        raise ConfigError(f"{name!r} is not a valid name; use letters, digits and ._@+-, at most 64 characters")
    if role not in ROLES:
        raise ConfigError(f"--role {role!r} is not a role; choose view or operate")
    prepare_hasher()
    where, named = _file(file)
    hash_ = NO_PASSWORD if no_password else hash_password(_password(name), name)
    with changing_users(where) as users:
        was = "changed" if name in users else "added"
        users[name] = User(name, role, hash_)
    typer.echo(f"{name} is {was} in {where} and may {role}")
    if not named:
        typer.echo(f"journey serve asks for a name and password once it knows this file: JOURNEY_SERVE_USERS={where}")


@app.command("remove")
def remove(name: Name, file: File = None) -> None:
    """Remove a user, who is signed out at once.

    Example: journey user remove ada
    """
    from reports.web.access.users_file import changing_users

    where, _ = _file(file)
    if not where.exists():
        raise ConfigError(f"{where} cannot be read: there is no such file; create it with `journey user add NAME --role view`")
    with changing_users(where) as users:
        if name not in users:
            raise ConfigError(f"{name} is not in {where}; there are: {', '.join(users) or 'none'}")
        del users[name]
    typer.echo(f"removed {name} from {where}")


def _file(option: Path | None) -> tuple[Path, bool]:
    """The file, and whether `journey serve` knows it."""
    known = given.settings().serve_users
    return option or known or DEFAULT, known is not None and option in {None, known}


def _password(name: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password: str = typer.prompt(f"Password of {name}", hide_input=True, confirmation_prompt=True)
    return password

"""The environment of Chromium and of Playwright's driver: what they need to find and show things, and nothing that is secret.

A page that breaks out of its process would find every secret, token and database address of the monitor in it otherwise.
"""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

NAMES = frozenset(
    {
        # Where things are.
        *("HOME", "USER", "LOGNAME", "PATH", "TMPDIR", "TMP", "TEMP", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH"),
        # Language and time.
        *("LANG", "LANGUAGE", "LOCPATH", "LOCALE_ARCHIVE", "TZ", "TZDIR", "__CF_USER_TEXT_ENCODING"),
        # Windows and graphics.
        *("DISPLAY", "XAUTHORITY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"),
        # Certificates.
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"),
        # Chromium's own.
        *("CHROME_DEVEL_SANDBOX", "CHROME_WRAPPER", "CHROME_DESKTOP", "CHROMIUM_FLAGS", "CHROME_LOG_FILE"),
    }
)
PREFIXES = ("LC_", "XDG_", "FONTCONFIG_", "GDK_", "GTK_", "LIBGL_", "LIBVA_", "MESA_", "VK_", "EGL_", "__EGL_", "__GLX_")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
"""In either case; without the credentials, which Chromium would leave out, and which Playwright is given apart."""
DRIVER_NAMES = frozenset(
    {
        *("DEBUG", "DEBUG_FILE", "JOURNEY_NODE_OPTIONS"),
        *("NODE_COMPILE_CACHE", "NODE_EXTRA_CA_CERTS", "NODE_OPTIONS", "NODE_PATH"),
    }
)
DRIVER_PREFIXES = ("PLAYWRIGHT_", "PW_", "PWTEST_", "PWDEBUG")


def browser_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The part of an environment that Chromium gets."""
    kept = {name: value for name, value in environment.items() if name in NAMES or name.startswith(PREFIXES)}
    return kept | {
        name: _without_credentials(value) for name, value in environment.items() if name.lower() in PROXIES and value
    }


def driver_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The part of an environment that Playwright's driver gets."""
    own = {name: value for name, value in environment.items() if name in DRIVER_NAMES or name.startswith(DRIVER_PREFIXES)}
    return browser_environment(environment) | own


def find_cache(environment: Mapping[str, str]) -> Path | None:
    """The folder for what is made again if it is lost (XDG Base Directory Specification); None for a user whose home does not exist."""
    given = environment.get("XDG_CACHE_HOME")
    if given:
        return Path(given) / "journey"
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home / ".cache" / "journey" if home.is_dir() else None


def _without_credentials(proxy: str) -> str:
    """
    >>> _without_credentials("http://anna:pass@proxy.example:3128"), _without_credentials("anna:pass@proxy.example:3128")
    ('http://proxy.example:3128', 'proxy.example:3128')
    """
    if "@" not in proxy:
        return proxy
    if "://" not in proxy:
        return proxy.rpartition("@")[2]
    parts = urlsplit(proxy)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))

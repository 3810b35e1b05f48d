"""The apps that may report here. Where none is configured, any app may, from pages of this machine."""

from reports.collector.admission.app_policy import AppPolicy, Loopback, Origins
from reports.collector.errors import Refusal
from runner.settings.sections.apps import NAME, App

TRIED = 20
"""Names of apps that a collector without configuration accepts, so that arbitrary names cannot fill its metrics."""


class AppRegistry:
    """Finds the policy for a request, or the reason why there is none."""

    def __init__(self, apps: tuple[App, ...] = (), max_pages: int = 200) -> None:
        self._max_pages = max_pages
        self._sites = {app.name: AppPolicy(app, max_pages) for app in apps}
        self.open = not apps
        self.apps = apps or (App(name="default", origins=()),)
        """Those that are configured; where none is, one with the usual limits."""
        self.origins: Origins = Loopback() if self.open else Origins(tuple(one for app in apps for one in app.origins))
        """The origins that may send anything: used while the app is unknown, as in a preflight."""

    def find(self, name: str, field: str = "app") -> AppPolicy:
        """The site of an app. Raises Refusal."""
        site = self._sites.get(name)
        if site is not None:
            return site
        if self.open and not NAME.fullmatch(name):
            # As the configuration demands it: it becomes a label, and a part of paths.
            fix = "begin it with a letter or a digit; letters, digits, '_', '.' and '-' may follow, at most 64 in all"
            raise Refusal(422, "invalid", f"{name[:64]!r} is not a valid name of an app", field=field, fix=fix)
        if self.open and len(self._sites) < TRIED:
            site = AppPolicy(App(name=name, origins=()), self._max_pages, self.origins)
            self._sites[name] = site
            return site
        fix = "name the apps in [[apps]] tables of the configuration" if self.open else "use the name of an app in [[apps]]"
        raise Refusal(404, "unknown_app", f"there is no app {name!r}", field=field, fix=fix)

    def origins_of(self, name: str) -> Origins:
        """The origins of an app's pages; none for an app that is not known."""
        site = self._sites.get(name)
        return site.origins if site is not None else self.origins if self.open else Origins(())

    def of_origin(self, origin: str) -> AppPolicy:
        """The site of a sender that does not name its app: the first that admits its origin, or the only one. Raises Refusal."""
        if self.open:
            return self.find("default")
        for site in self._sites.values():
            if origin and origin in site.origins:
                return site
        if len(self._sites) == 1:
            return next(iter(self._sites.values()))
        fix = "add ?app=NAME to the address, or the page's origin to its app's origins"
        raise Refusal(404, "unknown_app", "the request does not name its app", field="app", fix=fix)

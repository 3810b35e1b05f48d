"""Jinja's templates of pages: every value in them is escaped, and a name that is not there is an error."""

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from reports.text import formatting
from reports.text.weight_text import describe_weight
from runner.accessibility import describe_audit
from runner.page.signals import describe_signals
from runner.settings.sections.quarantine import describe_quarantine


def make_environment(package: str, folder: str) -> Environment:
    """The templates in a folder of a package, with those and the functions that all pages about runs share."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, folder), PackageLoader("reports.text", "templates")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        formatting=formatting,
        describe_audit=describe_audit,
        describe_signals=describe_signals,
        describe_weight=describe_weight,
        describe_quarantine=describe_quarantine,
    )
    return environment

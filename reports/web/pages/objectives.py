"""`/objectives`: how much of each error budget is left, how fast it burns, and what has used it up."""

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from reports.objectives.state import ObjectiveState
from reports.text import objective_text
from reports.web.render.html import format_length, render_page
from reports.web.site import Site
from reports.web.view_models.objectives import read_objectives
from runner.settings.duration import show_duration

VERDICTS = {"kept": "good", "missed": "poor", "undecided": "fair"}
"""The colour of each."""
BAR = 200
"""Units of the drawing of a budget."""


class ObjectiveView(Struct, frozen=True, kw_only=True):
    """What the template needs of one objective."""

    state: ObjectiveState
    mood: str
    used: float
    """Of BAR."""
    doubts: tuple[str, ...]

    @property
    def firing(self) -> bool:
        """Whether its budget burns too fast just now."""
        return any(one.fires for one in self.state.burns)


def show_objectives(site: Site, request: Request) -> Response:
    """The page."""
    with site.read(request) as connection:
        data = read_objectives(connection, site.objectives, site.now())
    shown = [_view(one) for one in data.objectives]
    return render_page(
        request,
        "objectives.html",
        section="Objectives",
        shown=shown,
        headline=_headline(shown),
        text=objective_text,
        show_window=_show_window,
        bar=BAR,
    )


def _show_window(seconds: float) -> str:
    """A window as people would write it.

    >>> _show_window(259_200), _show_window(60_480)
    ('3d', '16 h 48 min')
    """
    words = show_duration(seconds)
    return format_length(seconds) if words.endswith("m") and seconds > 3600 else words


def _view(state: ObjectiveState) -> ObjectiveView:
    left = state.budget_left if state.budget_left is not None else 1.0
    return ObjectiveView(
        state=state,
        mood=VERDICTS[state.verdict] if state.count.runs else "soft",
        used=BAR * min(max(1 - left, 0.0), 1.0),
        doubts=tuple(objective_text.list_doubts(state)) if state.count.runs else (),
    )


def _headline(shown: list[ObjectiveView]) -> tuple[str, str]:
    """The state of all of them in one sentence, and the status for its colour."""
    if not shown:
        return "Objectives", "passed"
    spent = [one.state.objective.name for one in shown if (one.state.budget_left or 0.0) <= 0 and one.state.count.bad]
    firing = [one.state.objective.name for one in shown if one.firing and one.state.objective.name not in spent]
    if spent:
        return f"No budget left: {', '.join(spent)}", "failed"
    if firing:
        return f"The budget burns too fast: {', '.join(firing)}", "failed"
    return "All budgets have something left", "passed"

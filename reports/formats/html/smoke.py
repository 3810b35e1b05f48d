"""A smoke check as a page: the verdict, what failed first, and for each step how its runs are spread beside the baseline's."""

from pathlib import Path

from msgspec import Struct

from reports.formats.html import page, plot
from reports.formats.html.pictures import PictureView, PictureViews
from reports.smoke.result import JourneyCheck, SmokeResult, StepCheck
from reports.text import amount_text, cost_text, smoke_text
from reports.text.problems import Problem
from reports.text.smoke_problems import list_smoke_problems

TEMPLATE = "smoke.html"


class StepView(Struct, frozen=True):
    """What the template needs of one step."""

    check: StepCheck
    name: str
    before: float | None
    """The baseline's median."""
    after: float | None
    strip: plot.Strip | None
    ratio: plot.Ratio | None
    missed: bool


class JourneyView(Struct, frozen=True):
    """What the template needs of one journey."""

    check: JourneyCheck
    steps: tuple[StepView, ...]
    remarks: tuple[str, ...]
    pictures: tuple[PictureView, ...] = ()

    @property
    def changed(self) -> list[StepCheck]:
        """The steps, and the journey as a whole, that bring more or less than the baseline's."""
        return [one for one in (*self.check.steps, self.check.whole) if amount_text.list_changes(one)]

    @property
    def compared(self) -> bool:
        """Whether any step was compared with a baseline."""
        return any(one.check.comparison or one.check.baseline_figures for one in self.steps)


class ProblemView(Struct, frozen=True):
    """A problem, with the addresses of its files."""

    problem: Problem
    folder: str
    trace: str


def smoke_html(result: SmokeResult, beside: Path | None = None) -> bytes:
    """The page; its links to runs hold for a page that lies in the folder `beside`, else on this machine only."""
    problems = [ProblemView(one, _link(one.folder, beside), _link(one.trace, beside)) for one in list_smoke_problems(result)]
    pictures = PictureViews(result)
    return page.render_template(
        TEMPLATE,
        result=result,
        problems=problems,
        journeys=[_journey(one, result, pictures) for one in result.journeys],
        smoke_text=smoke_text,
        amount_text=amount_text,
        cost_text=cost_text,
        plot=plot,
    )


def _link(path: str | None, beside: Path | None) -> str:
    return page.format_link(Path(path), beside) if path else ""


def _journey(check: JourneyCheck, result: SmokeResult, pictures: PictureViews) -> JourneyView:
    whole = check.whole
    shown = (*check.steps, *([whole] if whole.figures or whole.budgets or whole.comparison else []))
    return JourneyView(
        check,
        tuple(_step(one, result) for one in shown),
        tuple(smoke_text.list_remarks(check)),
        tuple(pictures.list_views(check)),
    )


def _step(check: StepCheck, result: SmokeResult) -> StepView:
    before, after = smoke_text.find_medians(check)
    undecided = check.comparison is not None and check.comparison.outcome == "undecided"
    return StepView(
        check,
        smoke_text.name_step(check),
        before,
        after,
        plot.draw_strip(check, result.rule),
        plot.draw_ratio(check, result.rule),
        check.missed or (undecided and result.fail_undecided and bool(check.name)),
    )

"""A smoke check on the terminal while it happens: one line a round, and each run that does not pass at once."""

from rich.text import Text

from reports.smoke.check import Round
from reports.terminal.progress import Spinners, format_end
from reports.text.formatting import COLOURS, MARKS, format_seconds, format_step_name
from runner.events import Moment, RunEnded, RunStarted, StepStarted
from runner.result import RunResult


class SmokeProgress(Spinners):
    """Listens to the runs; `round` reports each round."""

    def __call__(self, moment: Moment) -> None:
        """Shows one moment of a run."""
        match moment:
            case RunStarted():
                self.show(moment.run, f"{moment.journey}: starting")
            case StepStarted():
                self.show(moment.run, f"{moment.journey}  {format_step_name(moment.name)}")
            case RunEnded():
                self.drop(moment.result.id)
                if moment.result.status in {"failed", "error"}:
                    self.print(format_end(moment))

    def round(self, ended: Round) -> None:
        """Prints the line of a round."""
        line = Text(ended.name)
        for journey, candidate, baseline in ended.runs:
            line.append(f"  {journey} ")
            line.append_text(_run(candidate))
            if baseline is not None:
                line.append(" against ")
                line.append_text(_run(baseline))
        if ended.decided is not None:
            decided, compared = ended.decided
            line.append(f"  {decided} of {compared} {'step' if compared == 1 else 'steps'} decided", style="bold")
        self.print(line)


def _run(result: RunResult) -> Text:
    mark = "" if result.status == "passed" else f"{MARKS[result.status]} "
    return Text(f"{mark}{format_seconds(result.duration_seconds)}", style=COLOURS[result.status])

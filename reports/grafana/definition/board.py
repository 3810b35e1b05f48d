"""A dashboard from rows of panels, with what all dashboards here have: the choice of a Prometheus, links, annotations."""

from collections.abc import Sequence

from grafana_foundation_sdk.builders.dashboard import (
    AnnotationQuery,
    AnnotationTarget,
    Dashboard,
    DashboardLink,
    DatasourceVariable,
    QueryVariable,
    Row,
    TextBoxVariable,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from reports.grafana.definition.panels import SOURCE, Panel

BOARDS = {"journeys": "Journeys", "locations": "Locations", "objectives": "Objectives", "real-users": "Real users"}
"""The title of each dashboard by its name, which is also that of its file."""
MONITOR = "${monitor}"
"""The address of `journey serve`, which somebody chooses on the dashboard."""
ANNOTATIONS = {"failure": ("Failures", "red"), "release": ("Releases", "blue")}
"""Tags of the annotations that `journey grafana annotate` makes, each with its name and colour."""
Rows = Sequence[tuple[str, Sequence[Panel]]]


def choice(name: str, label: str, metric: str) -> QueryVariable:
    """A variable with the values that the label `name` has in a metric; All at first."""
    query = f"label_values({metric}, {name})"
    variable = QueryVariable(name).label(label).datasource(SOURCE).query({"query": query, "refId": name})
    variable.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.ALPHABETICAL_ASC)
    variable.multi(True).include_all(True).all_value(".*")
    return variable.current(VariableOption(selected=True, text=["All"], value=["$__all"]))


def board(
    name: str, description: str, choices: Sequence[QueryVariable], rows: Rows, pages: Sequence[tuple[str, str]]
) -> Dashboard:
    """A dashboard; `pages` are titles and paths of pages of `journey serve` that it links to."""
    made = Dashboard(BOARDS[name]).uid(name).description(description).tags(["journey"]).version(1).timezone("utc")
    made.refresh("1m").time("now-6h", "now").tooltip(DashboardCursorSync.CROSSHAIR)
    made.with_variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    for one in choices:
        made.with_variable(one)
    made.with_variable(
        TextBoxVariable("monitor")
        .label("Address of journey serve")
        .description("Where the links to runs, traces and recordings lead.")
        .default_value("http://127.0.0.1:8321")
    )
    for tag, (title, color) in ANNOTATIONS.items():
        target = AnnotationTarget().tags(["journey", tag]).type("tags").limit(100).match_any(False)
        source = DataSourceRef("grafana", "-- Grafana --")
        made.annotation(AnnotationQuery().name(title).datasource(source).icon_color(color).enable(True).target(target))
    for other, title in BOARDS.items():
        if other != name:
            made.link(_link(title, f"/d/{other}").keep_time(True))
    for title, path in pages:
        made.link(_link(title, f"{MONITOR}{path}").target_blank(True))
    for title, panels in rows:
        made.with_row(Row(title))
        for panel in panels:
            made.with_panel(panel)
    return made


def _link(title: str, address: str) -> DashboardLink:
    return DashboardLink(title).type(DashboardLinkType.LINK).url(address).icon("external link")

"""Panels in the form that all dashboards here have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import common, heatmap, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.dashboard import DashboardLink, FieldColor, ThresholdsConfig
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    LineInterpolation,
    SortOrder,
    StackingMode,
    TableCellHeight,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = DataSourceRef("prometheus", "${datasource}")
Link = tuple[str, str]
"""A title and an address."""
Steps = tuple[tuple[float | None, str], ...]
"""Colours, each from a value on; None is the lowest."""
FEW_ARE_BAD: Steps = ((None, "green"), (1, "red"))
FEW_ARE_ODD: Steps = ((None, "green"), (1, "yellow"))
AVAILABILITY: Steps = ((None, "red"), (0.99, "yellow"), (0.999, "green"))


@dataclass(frozen=True)
class Query:
    """One question to Prometheus, and what its answer is called."""

    expr: str
    legend: str = ""
    exemplars: bool = False


@dataclass(frozen=True)
class Look:
    """The unit of a panel's numbers, their limits and colours."""

    unit: str | None = None
    decimals: int | None = None
    least: float | None = 0
    most: float | None = None
    steps: Steps = ()


Panel = stat.Panel | timeseries.Panel | table.Panel | statetimeline.Panel | heatmap.Panel


def number(title: str, expr: str, look: Look, *, width: int = 4, height: int = 4, description: str = "") -> stat.Panel:
    """One number."""
    panel = stat.Panel().color_mode(BigValueColorMode.VALUE).graph_mode(BigValueGraphMode.NONE)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False))
    _shape(panel, title, look, width, height, description)
    return panel.with_target(_target("A", Query(expr)).instant())


def lines(
    title: str,
    *queries: Query,
    look: Look,
    width: int = 8,
    height: int = 8,
    description: str = "",
    stacked: bool = False,
    stepped: bool = False,
    dashed: str = "",
    links: Sequence[Link] = (),
) -> timeseries.Panel:
    """Lines over time; those of the query `dashed` are bounds."""
    panel = timeseries.Panel().draw_style(GraphDrawStyle.LINE).line_width(1).fill_opacity(40 if stacked else 0)
    panel.show_points(VisibilityMode.NEVER).span_nulls(True).legend(_legend(shown=True))
    panel.tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
    if stacked:
        panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A"))
    if stepped:
        panel.line_interpolation(LineInterpolation.STEP_AFTER)
    if dashed:
        line = DynamicConfigValue("custom.lineStyle", {"dash": [6, 4], "fill": "dash"})
        panel.override_by_query(dashed, [line, DynamicConfigValue("color", {"fixedColor": "semi-dark-red", "mode": "fixed"})])
    _shape(panel, title, look, width, height, description)
    if links:
        panel.data_links(_links(links))
    for letter, query in zip("ABCDEFGH", queries, strict=False):
        panel.with_target(_target(letter, query).range())
    return panel


def states(
    title: str, query: Query, names: Mapping[str, tuple[str, str]], *, width: int, height: int, links: Sequence[Link] = ()
) -> statetimeline.Panel:
    """Bars of colours over time; `names` has the text and the colour of each value."""
    panel = statetimeline.Panel().fill_opacity(80).line_width(0).merge_values(True).show_value(VisibilityMode.NEVER)
    panel.legend(_legend(shown=False))
    results = {
        value: ValueMappingResult(text=text, color=color, index=index)
        for index, (value, (text, color)) in enumerate(names.items())
    }
    mapping: ValueMapping = ValueMap(options=results)
    panel.mappings([mapping])
    _shape(panel, title, Look(most=1), width, height, "")
    if links:
        panel.data_links(_links(links))
    return panel.with_target(_target("A", query).range())


def rows(
    title: str,
    *queries: Query,
    look: Look,
    width: int = 8,
    height: int = 8,
    description: str = "",
    counts: Sequence[str] = (),
    units: Mapping[str, str] | None = None,
    sort_by: str = "",
    links: Sequence[Link] = (),
) -> table.Panel:
    """A table: one column for each query, named by its legend; those of `counts` are whole numbers, and others have `units` of their own."""
    panel = table.Panel().cell_height(TableCellHeight.SM).show_header(True)
    names = {f"Value #{letter}": query.legend for letter, query in zip("ABCDEFGH", queries, strict=False)}
    if len(queries) > 1:
        panel.with_transformation(DataTransformerConfig("merge", options={}))
        tidied: dict[str, object] = {"excludeByName": {"Time": True}, "renameByName": names}
    else:
        tidied = {"excludeByName": {"Time": True}, "renameByName": {"Value": queries[0].legend} if queries[0].legend else {}}
    panel.with_transformation(DataTransformerConfig("organize", options=tidied))
    if sort_by:
        panel.with_transformation(DataTransformerConfig("sortBy", options={"sort": [{"field": sort_by, "desc": True}]}))
    for name in counts:
        panel.override_by_name(name, [DynamicConfigValue("unit", "none"), DynamicConfigValue("decimals", 0)])
    for name, unit in (units or {}).items():
        panel.override_by_name(name, [DynamicConfigValue("unit", unit)])
    _shape(panel, title, look, width, height, description)
    if links:
        panel.data_links(_links(links))
    for letter, query in zip("ABCDEFGH", queries, strict=False):
        panel.with_target(_target(letter, query).instant().format(PromQueryFormat.TABLE))
    return panel


def distribution(title: str, query: Query, unit: str, *, width: int, height: int) -> heatmap.Panel:
    """How a histogram's values are distributed over time."""
    panel = heatmap.Panel().calculate(False).cell_gap(1)
    panel.color(heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Blues").steps(64))
    panel.mode(TooltipDisplayMode.SINGLE).show_y_histogram()
    panel.y_axis(heatmap.YAxisConfig().unit(unit))
    _shape(panel, title, Look(least=None), width, height, "")
    return panel.with_target(_target("A", query).range().format(PromQueryFormat.HEATMAP))


def _target(letter: str, query: Query) -> Dataquery:
    target = Dataquery().ref_id(letter).datasource(SOURCE).expr(query.expr)
    if query.legend:
        target.legend_format(query.legend)
    return target.exemplar(True) if query.exemplars else target


def _shape(panel: Panel, title: str, look: Look, width: int, height: int, description: str) -> None:
    panel.title(title).datasource(SOURCE).span(width).height(height)
    if description:
        panel.description(description)
    if look.unit is not None:
        panel.unit(look.unit)
    if look.decimals is not None:
        panel.decimals(look.decimals)
    if look.least is not None:
        panel.min(look.least)
    if look.most is not None:
        panel.max(look.most)
    if look.steps:
        panel.color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        steps = [Threshold(value, color) for value, color in look.steps]
        panel.thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))


def _legend(*, shown: bool) -> common.VizLegendOptions:
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
    return legend.show_legend(shown)


def _links(links: Sequence[Link]) -> list[Builder[dashboard.DashboardLink]]:
    return [DashboardLink(title).type(DashboardLinkType.LINK).url(url).target_blank(True) for title, url in links]

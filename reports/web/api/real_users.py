"""The answers of the API about real users."""

from reports.web.api.request import ApiRequest
from reports.web.query.funnel import parse_funnel
from reports.web.query.page_view_filter import parse_selection
from reports.web.query.time_range import BadRequest
from reports.web.view_models.real_users.click_map import ClickMap, parse_width, read_click_map
from reports.web.view_models.real_users.errors import ErrorList, read_error_list
from reports.web.view_models.real_users.funnel import FunnelData, read_funnel
from reports.web.view_models.real_users.journeys_vs_users import Against, read_journeys_vs_users
from reports.web.view_models.real_users.sessions import Listed, read_sessions
from reports.web.view_models.real_users.users import Users, read_users
from runner.settings.duration import parse_duration


def answer_users(asked: ApiRequest) -> Users | None:
    """`/users`; None while nothing is stored. Raises BadRequest."""
    chosen = asked.chosen
    return (
        read_users(asked.connection, chosen.filter, asked.time_range.range, asked["sort"], asked["limit"]) if chosen else None
    )


def answer_against(asked: ApiRequest) -> Against | None:
    """`/users/journeys`; None while nothing is stored. Raises BadRequest."""
    chosen = asked.chosen
    if chosen is None:
        return None
    return read_journeys_vs_users(
        asked.connection, chosen.filter, asked.time_range.range, asked.site.rules.get(chosen.filter.app, ())
    )


def answer_sessions(asked: ApiRequest) -> Listed | None:
    """`/sessions`; None while nothing is stored. Raises BadRequest."""
    chosen = asked.chosen
    if chosen is None:
        return None
    try:
        longer = parse_duration(asked["longer"]) if asked["longer"] else 0.0
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"longer: {error}") from error
    failed = asked["errors"] == "yes"
    frustrated = asked["frustrated"] == "yes"
    return read_sessions(
        asked.connection, chosen.filter, asked.time_range.range, failed, longer, asked["before"], asked["limit"], frustrated
    )


def answer_errors(asked: ApiRequest) -> ErrorList | None:
    """`/errors`; None while nothing is stored. Raises BadRequest."""
    chosen = parse_selection(asked.connection, {"app": asked["app"] or ""})
    if chosen is None:
        return None
    return read_error_list(asked.connection, chosen.filters, asked.time_range.range, asked["state"], asked["limit"])


def answer_funnels(asked: ApiRequest) -> FunnelData | None:
    """`/funnels`; None while nothing is stored. Raises BadRequest."""
    chosen = asked.chosen
    if chosen is None:
        return None
    funnels = asked.site.funnels
    funnel = parse_funnel(funnels, asked["funnel"] or "", asked["step"], asked["within"] or "", chosen)
    return read_funnel(
        asked.connection, funnels, funnel, chosen.filter, asked.time_range.range, asked["dropped"], asked["limit"]
    )


def answer_clicks(asked: ApiRequest) -> ClickMap | None:
    """`/clicks`; None while nothing is stored. Raises BadRequest."""
    chosen = asked.chosen
    if chosen is None:
        return None
    return read_click_map(asked.connection, chosen.filter, asked.time_range.range, parse_width(asked["width"]), asked["limit"])

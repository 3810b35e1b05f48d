"""Contact points and notification policies for Grafana: the routes of docs/deploy/alertmanager.yml in Grafana's own form."""

import json
import re
from collections.abc import Mapping
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.alerting import ContactPoint, NotificationPolicy

_MATCHER = re.compile(r"\s*(?P<label>\w+)\s*(?P<sign>=~|!~|!=|=)\s*(?P<value>.+?)\s*")
_WAITS = ("group_by", "group_wait", "group_interval", "repeat_interval")


def convert_routes(alertmanager: Mapping[str, Any]) -> dict[str, Any]:
    """A file for Grafana's folder `provisioning/alerting` from the content of an Alertmanager's file.

    Receivers are webhooks. Grafana has no inhibition, so the inhibition rules have no counterpart. Raises ValueError for what cannot be
    converted. Source of the form: https://grafana.com/docs/grafana/latest/alerting/set-up/provision-alerting-resources/file-provisioning/
    """
    points = [{"orgId": 1, "name": one["name"], "receivers": _convert_receiver(one)} for one in alertmanager["receivers"]]
    return {
        "apiVersion": 1,
        "contactPoints": points,
        "policies": [{"orgId": 1, **_plain(_convert_route(alertmanager["route"]))}],
    }


def _convert_receiver(receiver: Mapping[str, Any]) -> list[dict[str, Any]]:
    if set(receiver) != {"name", "webhook_configs"}:
        raise ValueError(f"receiver {receiver['name']}: only webhook_configs can be converted")
    found = []
    for number, one in enumerate(receiver["webhook_configs"], 1):
        uid = f"journey-{receiver['name']}-{number}"
        content = _plain(ContactPoint(uid=uid, type_val="webhook", settings={"url": one["url"], "httpMethod": "POST"}))
        found.append(content)
    return found


def _convert_route(route: Mapping[str, Any]) -> NotificationPolicy:
    known = {"receiver", "matchers", "routes", "continue", *_WAITS}
    if unknown := set(route) - known:
        raise ValueError(f"a route has {', '.join(sorted(unknown))}, which cannot be converted")
    return NotificationPolicy(
        receiver=route["receiver"],
        object_matchers=[_convert_matcher(one) for one in route.get("matchers", ())] or None,
        continue_val=route.get("continue"),
        routes=[_convert_route(one) for one in route.get("routes", ())] or None,
        **{name: route[name] for name in _WAITS if name in route},
    )


def _convert_matcher(text: str) -> list[str]:
    found = _MATCHER.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a matcher")
    return [found["label"], found["sign"], found["value"].strip('"')]


def _plain(value: ContactPoint | NotificationPolicy) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(json.dumps(value, cls=JSONEncoder))
    return content

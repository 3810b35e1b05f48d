"""Parsers of settings about what is sent after a run: protocols and forms, which origins get the header of a trace, where it can be seen.

Each raises ValueError that says what is wrong with the value and what to write; the caller adds where it is written.
"""

import re
from typing import Literal

from runner.settings.parsers.addresses.web_address import parse_url
from runner.settings.parsers.secret_values import parse_secret, read_secret
from runner.settings.secrets import Secret

OtlpProtocol = Literal["http/protobuf", "grpc"]
RemoteWriteProtocol = Literal["1.0", "2.0"]
Histograms = Literal["classic", "native", "both"]
TracedRequests = Literal["all", "api"]
ORIGIN = re.compile(r"https?://(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?::\d{1,5})?|https?://\[[0-9a-f:]+\](?::\d{1,5})?")


def parse_otlp_protocol(value: object) -> OtlpProtocol:
    """How spans are sent."""
    if value == "http/protobuf":
        return "http/protobuf"
    if value == "grpc":
        return "grpc"
    raise ValueError(f"{value!r} is not a protocol; choose one of http/protobuf, grpc")


def parse_remote_write_protocol(value: object) -> RemoteWriteProtocol:
    """The version of remote write; TOML reads one without quotes as a number."""
    if str(value) == "1.0":
        return "1.0"
    if str(value) == "2.0":
        return "2.0"
    raise ValueError(f"{value!r} is not a version of remote write; choose one of 1.0, 2.0")


def parse_histograms(value: object) -> Histograms:
    """The forms in which histograms are written."""
    if value == "classic":
        return "classic"
    if value == "native":
        return "native"
    if value == "both":
        return "both"
    raise ValueError(f"{value!r} is not a form of histograms; choose one of classic, native, both")


def parse_otlp_headers(value: object) -> Secret:
    """Headers as `name=value`, with commas between them."""
    found = parse_secret(value)
    if not all(re.fullmatch(r"\s*[A-Za-z0-9-]+\s*=[^,]*", one) for one in found.reveal().split(",")):
        raise ValueError("is not a list of headers; write name=value, with commas between them")
    return found


def read_otlp_headers(value: object) -> Secret:
    """The headers in a file."""
    return parse_otlp_headers(read_secret(value))


def parse_trace_origins(value: object) -> tuple[str, ...]:
    """Origins: a list, or a text with spaces or commas between them."""
    words = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(words, list | tuple) or not all(isinstance(one, str) for one in words):
        raise ValueError(f"{value!r} is not a list of origins; write one such as ['https://shop.example']")
    for one in words:
        if not ORIGIN.fullmatch(one.lower()):
            raise ValueError(
                f"{one!r} is not an origin; write scheme, host and port without a path, such as 'https://shop.example'"
            )
    # Browsers leave the default port out.
    return tuple(re.sub(r"^(http://.*):80$|^(https://.*):443$", r"\1\2", one.lower()) for one in words)


def parse_traced_requests(value: object) -> TracedRequests:
    """Which requests have the header of a trace: documents too, or only what pages ask for by `fetch` and XHR."""
    if value == "all":
        return "all"
    if value == "api":
        return "api"
    raise ValueError(f"{value!r} is not valid; choose one of all, api")


def parse_trace_url(value: object) -> str:
    """An address with `{trace_id}` in it, and perhaps `{span_id}`."""
    if not isinstance(value, str) or "{trace_id}" not in value:
        raise ValueError(f"{value!r} has no {{trace_id}}; write one such as 'https://tempo.example/trace/{{trace_id}}'")
    parse_url(value.replace("{trace_id}", "0" * 32).replace("{span_id}", "0" * 16))
    return value

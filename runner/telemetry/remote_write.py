"""Samples of runs on their way to a receiver of Prometheus' remote write."""

from base64 import b64encode
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import HTTPSHandler, Request, build_opener

import cramjam

from runner.codec import decoder
from runner.no_redirects import NoRedirects
from runner.settings.settings import Settings
from runner.telemetry.counters import COUNTERS, read_counters, write_counters
from runner.telemetry.queued_items import JourneyGone, RunToSend
from runner.telemetry.run_samples import end_journey, sample_run
from runner.telemetry.sender import NotSent
from runner.telemetry.write_request import Series, encode_write_request
from runner.tls_trust import tls_context

TOO_MANY = 429


class RemoteWriter:
    """Sends runs to `remote_write`, one at a time; counters go on over restarts.

    The counters are written to disk when the receiver has taken a run, or has refused it for good: they stay true even if a sample is lost.
    """

    def __init__(self, settings: Settings, folder: Path) -> None:
        """`folder` is that of the queue. Raises OSError when the certificate cannot be read."""
        self._address = settings.remote_write or ""
        self._timeout = settings.remote_write_timeout
        self._bounds = [one.under for one in settings.slo if one.under is not None]
        self._headers = _headers(settings)
        self._file = folder / COUNTERS
        context = tls_context(settings.remote_write_ca_file, alone=True)
        self._opener = build_opener(NoRedirects(), HTTPSHandler(context=context))

    def send(self, key: str, content: bytes) -> None:
        """Sends what waits under a key. Raises NotSent, and msgspec.DecodeError for what cannot be read."""
        item: RunToSend | JourneyGone = decoder(RunToSend | JourneyGone).decode(content)
        counters = read_counters(self._file)
        if key in counters.counted:
            return
        if isinstance(item, RunToSend):
            series = sample_run(item.result, counters, self._bounds)
        else:
            series = end_journey(item.journey, item.location, item.at, counters)
        counters.note(key)
        try:
            self._post(series)
        except NotSent as error:
            if error.final:
                write_counters(self._file, counters)
            raise
        write_counters(self._file, counters)

    def _post(self, series: list[Series]) -> None:
        body = bytes(cramjam.snappy.compress_raw(encode_write_request(series)))
        try:
            request = Request(self._address, body, self._headers, method="POST")  # noqa: S310 (the setting accepts http and https only)
            with self._opener.open(request, timeout=self._timeout):
                return
        except HTTPError as error:
            with error:
                said = error.read(500).decode(errors="replace").strip()
            final = 400 <= error.code < 500 and error.code != TOO_MANY
            raise NotSent(
                f"remote_write {self._address} rejected samples: {error.code} {error.reason}: {said}", final
            ) from error
        except (OSError, HTTPException) as error:
            raise NotSent(f"remote_write {self._address} could not be reached: {getattr(error, 'reason', error)}") from error


def _headers(settings: Settings) -> dict[str, str]:
    found = {
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "snappy",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
        "User-Agent": "journey-runner",
    }
    if settings.remote_write_bearer_token is not None:
        found["Authorization"] = f"Bearer {settings.remote_write_bearer_token.reveal()}"
    elif settings.remote_write_username is not None:
        password = settings.remote_write_password.reveal() if settings.remote_write_password else ""
        found["Authorization"] = "Basic " + b64encode(f"{settings.remote_write_username}:{password}".encode()).decode()
    return found

"""Samples of runs on their way to a receiver of Prometheus' remote write."""

import logging
from base64 import b64encode

import cramjam

from runner.network.tls_trust import tls_context
from runner.settings.settings import Settings
from runner.telemetry.http_receiver import Answer, HttpReceiver
from runner.telemetry.remote_write import request_v1, request_v2
from runner.telemetry.sender import NotSent
from runner.telemetry.series import Series

UNSUPPORTED_MEDIA_TYPE = 415
V1_HEADERS = {"Content-Type": "application/x-protobuf", "X-Prometheus-Remote-Write-Version": "0.1.0"}
V2_HEADERS = {
    "Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
    "X-Prometheus-Remote-Write-Version": "2.0.0",
}
WRITTEN = "x-prometheus-remote-write-{}-written"
DISABLED = "native histograms are disabled"
log = logging.getLogger("journey.telemetry")


class RemoteWriter:
    """Posts series to `remote_write`, in the version that is set, or in 1.0 where the receiver does not know 2.0."""

    def __init__(self, settings: Settings) -> None:
        """Raises OSError when the certificate cannot be read."""
        self._headers = _headers(settings)
        self._version = settings.remote_write_protocol
        self._address = settings.remote_write or ""
        context = tls_context(settings.remote_write_ca_file, alone=True)
        self._receiver = HttpReceiver("remote_write", self._address, settings.remote_write_timeout, context)

    def post(self, series: list[Series]) -> None:
        """Raises NotSent when the receiver does not accept them."""
        try:
            if self._version == "2.0":
                if self._post_v2(series):
                    return
                log.warning("remote_write %s does not speak version 2.0; it gets 1.0 until the next start", self._address)
                self._version = "1.0"
            self._receiver.post(_compress(request_v1.encode_request(series)), {**self._headers, **V1_HEADERS})
        except NotSent as error:
            if DISABLED not in str(error):
                raise
            hint = '; turn them on there (Prometheus: --enable-feature=native-histograms), or set remote_write_histograms = "classic"'
            raise NotSent(f"{error}{hint}", status=error.status) from error

    def _post_v2(self, series: list[Series]) -> bool:
        """Whether the receiver knows this version.

        If it does not, it should say so (415). If it does not look at the type either, it reads a message without series and accepts
        that; the headers in which version 2.0 states what was written are then missing.
        """
        try:
            answer = self._receiver.post(_compress(request_v2.encode_request(series)), {**self._headers, **V2_HEADERS})
        except NotSent as error:
            if error.status == UNSUPPORTED_MEDIA_TYPE:
                return False
            raise
        return _count_written(answer) > 0


def _count_written(answer: Answer) -> int:
    counts = (answer.headers.get(WRITTEN.format(what), "0") for what in ("samples", "histograms"))
    return sum(int(one) for one in counts if one.isdecimal())


def _compress(message: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(message))


def _headers(settings: Settings) -> dict[str, str]:
    found = {"Content-Encoding": "snappy", "User-Agent": "journey-runner"}
    if settings.remote_write_bearer_token is not None:
        found["Authorization"] = f"Bearer {settings.remote_write_bearer_token.reveal()}"
    elif settings.remote_write_username is not None:
        password = settings.remote_write_password.reveal() if settings.remote_write_password else ""
        found["Authorization"] = "Basic " + b64encode(f"{settings.remote_write_username}:{password}".encode()).decode()
    return found

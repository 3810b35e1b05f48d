"""What a User-Agent header says of browser, system and device, in a few fixed words; and whether it is a program's.

Browsers say little in it by now (only the major version is true, RFC 9110, 10.1.5 asks for no more), so a short list is as good as a
large one, and bounded: nothing that a sender writes becomes a name in the store.
"""

import re
from functools import lru_cache

from msgspec import Struct

from reports.collector.accepted_beacon import Device

LONGEST = 500
"""Characters that are examined."""

_BROWSERS = (
    # The first that is found counts: most call themselves Chrome and Safari too.
    ("Edge", re.compile(r"\b(?:Edg|EdgA|EdgiOS|Edge)/(\d{1,4})")),
    ("Opera", re.compile(r"\b(?:OPR|OPiOS|OPT|Opera)/(\d{1,4})")),
    ("Samsung Internet", re.compile(r"\bSamsungBrowser/(\d{1,4})")),
    ("Vivaldi", re.compile(r"\bVivaldi/(\d{1,4})")),
    ("Yandex", re.compile(r"\bYaBrowser/(\d{1,4})")),
    ("UC Browser", re.compile(r"\bUC ?Browser/(\d{1,4})")),
    ("DuckDuckGo", re.compile(r"\b(?:DuckDuckGo|Ddg)/(\d{1,4})")),
    ("Firefox", re.compile(r"\b(?:Firefox|FxiOS)/(\d{1,4})")),
    ("Android WebView", re.compile(r"; wv\).*\bChrome/(\d{1,4})")),
    ("Chrome", re.compile(r"\b(?:HeadlessChrome|Chrome|CriOS|Chromium)/(\d{1,4})")),
    ("Safari", re.compile(r"\bVersion/(\d{1,4})[\d.]* (?:Mobile/\w+ )?Safari/")),
    ("iOS WebView", re.compile(r"\b(?:iPhone|iPad|iPod);.*? OS (\d{1,4})_.*AppleWebKit")),
    ("Internet Explorer", re.compile(r"\b(?:MSIE |Trident/.*rv:)(\d{1,4})")),
)
_SYSTEMS = (
    ("iOS", re.compile(r"\b(?:iPhone|iPad|iPod)\b")),
    ("Android", re.compile(r"\bAndroid\b")),
    ("Windows", re.compile(r"\bWindows\b")),
    ("ChromeOS", re.compile(r"\bCrOS\b")),
    ("macOS", re.compile(r"\bMac(?:intosh| OS X)\b")),
    ("Linux", re.compile(r"\bLinux\b|\bX11\b")),
)
_BOT = re.compile(
    r"bot\b|bots\b|crawl|spider|slurp|scrap(?:er|y)|headless|phantomjs|lighthouse|pagespeed|pingdom|gtmetrix|uptime|synthetic"
    r"|datadog|monitor|selenium|puppeteer|playwright|externalhit|preview|fetcher|archiver|mediapartners|google-|feed|validator|scanner"
    r"|\b(?:curl|wget|python|httpx|aiohttp|okhttp|java|go-http-client|axios|node-fetch|undici|libwww|perl|ruby|php|postman)\b"
    r"|https?://",
    re.IGNORECASE,
)
_TABLET = re.compile(r"\biPad\b|\bTablet\b|\bKindle\b|\bSilk/|\bPlayBook\b|\bAndroid\b(?!.*\bMobile\b)")
_MOBILE = re.compile(r"\bMobile\b|\biPhone\b|\biPod\b|\bIEMobile\b|\bOpera M(?:ini|obi)\b")
_OTHER = re.compile(
    r"\bSMART-TV\b|\bSmartTV\b|\bTizen\b|\bWeb0S\b|\bAppleTV\b|\bPlayStation\b|\bXbox\b|\bNintendo\b|\bVR\b", re.IGNORECASE
)


class Client(Struct, frozen=True):
    """A browser: its family and major version, its system, its kind of device, and whether a program drives it."""

    browser: str
    system: str
    device: Device
    bot: bool


@lru_cache(maxsize=2048)
def _read(text: str) -> Client:
    browser = next((f"{name} {found[1]}" for name, pattern in _BROWSERS if (found := pattern.search(text))), "")
    system = next((name for name, pattern in _SYSTEMS if pattern.search(text)), "")
    device: Device = "other"
    if not _OTHER.search(text):
        if _TABLET.search(text):
            device = "tablet"
        elif _MOBILE.search(text):
            device = "mobile"
        elif system in {"Windows", "macOS", "Linux", "ChromeOS"}:
            device = "desktop"
    return Client(browser, system, device, not text or not browser or _BOT.search(text) is not None)


def parse_user_agent(text: str) -> Client:
    """The browser that the header names; without a header or a known browser, a program.

    >>> parse_user_agent("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36")
    Client(browser='Chrome 156', system='Linux', device='desktop', bot=False)
    """
    return _read(text[:LONGEST])

"""What redaction costs by the length of a secret, up to a megabyte, and by the size of what is searched.

Each secret is declared, found in a document that holds it as JSON, and sought in one of two megabytes that does not. Printed as
the tables of docs/security.md.

    python -m benchmarks.redaction
"""

import json
import random
import string
import time
from collections.abc import Callable

from runner.redaction import Redactor

LENGTHS = (20, 1_000, 10_000, 100_000, 1_000_000)
ALPHABETS = {
    "a token": string.ascii_letters + string.digits + "-_",
    "an SVG": '{"a":[1,2],<svg viewBox="0 0 24 24"><path d="M12 2C6.48 2 2 6.48"/></svg>}',
    "punctuation only": string.punctuation,
}
SIZES = (100_000, 1_000_000, 10_000_000)
ROUNDS = 3


def seconds(work: Callable[[], object]) -> float:
    """The quickest of a few."""
    taken = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken)


def document(size: int) -> bytes:
    """JSON as sites send it: names, addresses, escapes, ids."""
    entry = {"url": "https://shop.example/item/%20a?x=1&y=2", "name": 'Darjeeling "first" flush', "html": "<p>a &amp; b</p>\n"}
    one = json.dumps({**entry, "id": "0123456789abcdef0123456789abcdef"}).encode() + b","
    return (one * (size // len(one) + 1))[:size]


def main() -> None:
    """Measures and prints."""
    chance = random.Random(20260801)
    without = document(2_000_000)
    print("| characters | of | declared, s | found and hidden, s | sought in 2 MB without it, s |")
    print("| --: | :-- | --: | --: | --: |")
    for name, alphabet in ALPHABETS.items():
        for length in LENGTHS:
            secret = "x7" + "".join(chance.choice(alphabet) for _ in range(length))
            redactor = Redactor([secret])
            holding = json.dumps({"before": "a", "value": secret, "after": "b"}).encode()
            if secret[:40] in redactor.raw(holding).decode():
                raise AssertionError(f"{name} of {length} characters was not found")
            figures = (
                seconds(lambda secret=secret: Redactor([secret])),  # type: ignore[misc]
                seconds(lambda redactor=redactor, holding=holding: redactor.raw(holding)),  # type: ignore[misc]
                seconds(lambda redactor=redactor: redactor.raw(without)),  # type: ignore[misc]
            )
            print(f"| {length:,} | {name} | " + " | ".join(f"{one:.3f}" for one in figures) + " |", flush=True)
    print("\n| searched, MB | 1 secret, s | 10 secrets, s | 100 secrets, s |\n| --: | --: | --: | --: |")
    for size in SIZES:
        content = document(size)
        row = []
        for count in (1, 10, 100):
            redactor = Redactor(f"x7{chance.getrandbits(96):x}" for _ in range(count))
            row.append(seconds(lambda redactor=redactor, content=content: redactor.raw(content)))  # type: ignore[misc]
        print(f"| {size / 1e6:g} | " + " | ".join(f"{one:.3f}" for one in row) + " |", flush=True)


if __name__ == "__main__":
    main()

"""The script of the made-up release that has a fault, with its source map, so that the page of the error shows code."""

import json

from reports.sample.calendar import SLOW_RELEASE
from reports.source_maps.map_store import MapAbout

SCRIPT = "static/checkout.js"
FUNCTION = "sum"
LINE, COLUMN = 14, 9
"""Where it fails, in the compiled script."""
MESSAGE = "Cannot read properties of null (reading 'total')"
FILE = "src/checkout/summary.ts"
SOURCE = """\
import { parsePrice } from "./price";

interface Line { product: string; pieces: number; total: string }

export function describe(lines: (Line | null)[]): string {
  return `${lines.length} products, ${sum(lines).toFixed(2)} €`;
}

// A product that is no longer sold leaves a line without content since this release.
export function sum(lines: (Line | null)[]): number {
  let whole = 0;
  for (const line of lines) {
    // The type says that it can be null; the assertion says that it is not.
    whole += parsePrice(line!.total);
  }
  return whole;
}
"""


def make_source_map() -> tuple[MapAbout, bytes]:
    """The map, and what it explains: each line of the script comes from the same line of the source."""
    # In VLQ: column 0 of the script's line is column 0 of the source's first line, then of the next line each
    # (https://tc39.es/ecma426/#sec-mappings-format).
    mappings = ";".join(["AAAA", *["AACA"] * (SOURCE.count("\n") - 1)])
    content = {
        "version": 3,
        "file": "checkout.js",
        "sources": [FILE],
        "sourcesContent": [SOURCE],
        "names": [],
        "mappings": mappings,
    }
    return MapAbout(release=SLOW_RELEASE, script=SCRIPT), json.dumps(content).encode()

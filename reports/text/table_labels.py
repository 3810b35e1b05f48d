"""Tables that narrow windows show as cards: each cell carries the name of its column and the role that its element has."""

import re
from collections.abc import Iterator

_TABLE = re.compile(r"<table\b([^>]*)>(.*?)</table>", re.DOTALL)
_HEADER = re.compile(r"<(t[hd])\b[^>]*>(.*?)</\1>", re.DOTALL)
_ROW = re.compile(r"<tr\b([^>]*)>(.*?)</tr>", re.DOTALL)
_CELL = re.compile(r"<(td|th)\b([^>]*)>")
_TAG = re.compile(r"<[^>]*>")
_ROLES = {"td": "cell", "th": "rowheader"}


def label_cells(page: str) -> str:
    """The page, with `data-label` on each cell of its tables' bodies.

    The roles are said again because a table that a style sheet shows as blocks is not a table for a screen reader any more.
    A column without a heading has an empty `td` there. Works on the project's own templates, in which all texts are escaped.

    >>> label_cells('<table><thead><tr><th scope="col">p50</th></tr></thead><tbody><tr><td>1 s</td></tr></tbody></table>')[-62:]
    '<td role="cell" data-label="p50">1 s</td></tr></tbody></table>'
    """
    return _TABLE.sub(_label_table, page)


def _label_table(table: re.Match[str]) -> str:
    head, mark, body = table[2].partition("<tbody>")
    if not mark:
        return table[0]
    names = [_TAG.sub("", one).replace('"', "&quot;").strip() for _, one in _HEADER.findall(head)]
    head = head.replace("<thead>", '<thead role="rowgroup">').replace("<tr>", '<tr role="row">')
    head = head.replace('<th scope="col"', '<th role="columnheader" scope="col"')
    rows = _ROW.sub(lambda row: f'<tr role="row"{row[1]}>{_label_row(row[2], iter(names))}</tr>', body)
    return f'<table role="table"{table[1]}>{head}<tbody role="rowgroup">{rows}</table>'


def _label_row(cells: str, names: Iterator[str]) -> str:
    def label(cell: re.Match[str]) -> str:
        name = next(names, "")
        return f'<{cell[1]} role="{_ROLES[cell[1]]}"{f" data-label={chr(34)}{name}{chr(34)}" if name else ""}{cell[2]}>'

    return _CELL.sub(label, cells)

"""Answers as JSON."""

import json
import math
from typing import Any

from data.formats.record import RichCell


def to_json(row: dict[str, Any]) -> dict[str, Any]:
    """Returns the output columns of a text as values that JSON has; what is no number is null."""
    return {name: _plain(cell) for name, cell in row.items()}


def dump(value: Any) -> bytes:
    """Returns JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _plain(cell: Any) -> Any:
    if isinstance(cell, RichCell):
        return cell.to_json()
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    return cell

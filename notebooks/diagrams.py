"""Diagrams of networks: rows of boxes for what is unrolled, and the gates inside of a cell.

Each function draws into a panel, an `Axes` of matplotlib, and takes its axis away.
"""

from collections.abc import Sequence
from typing import NamedTuple

import matplotlib.pyplot as plt

COLOURS = {
    "input": "#d5ecd4",
    "state": "#cfe3f5",
    "output": "#fde3c3",
    "gate": "#f7d9e6",
    "vector": "#e8e2f4",
    "body": "#f6f6f6",
}
WIDTH, HEIGHT = 0.8, 0.5  # of a box
COLUMN, ROW = 1.3, 1.1  # from the middle of one to that of the next


class Row(NamedTuple):
    """A row of an unrolled network, a box for each step.

    Attributes:
        labels: what stands in the boxes; None leaves a step out.
        kind: the colour, a key of `COLOURS`.
        links: "right" or "left" for states that are handed on, "line" for neighbours that belong
            together, "" for none.
        below: the rows that feed this one, counted down from it: (1,) is the next one below.
        shift: to the side, so that two rows can have arrows past each other.
        name: what stands before the row.
    """

    labels: Sequence[str | None]
    kind: str
    links: str = ""
    below: tuple[int, ...] = (1,)
    shift: float = 0.0
    name: str = ""


def draw_rows(panel: plt.Axes, rows: Sequence[Row], title: str = "") -> None:
    """Draws rows from the bottom to the top, and an arrow wherever both ends have a box."""
    width = WIDTH * (0.62 if any(row.shift for row in rows) else 1.0)
    steps = max(len(row.labels) for row in rows)
    for level, row in enumerate(rows):
        height = level * ROW
        for step, label in enumerate(row.labels):
            if label is None:
                continue
            place = step * COLUMN + row.shift
            box(panel, place, height, label, row.kind, width if row.shift else WIDTH)
            for down in row.below if level else ():
                source = rows[level - down]
                if source.labels[step] is not None:
                    straight = step * COLUMN + (row.shift or source.shift)
                    start = (straight, (level - down) * ROW + HEIGHT / 2)
                    arrow(panel, start, (straight, height - HEIGHT / 2))
            if row.links and step + 1 < len(row.labels) and row.labels[step + 1] is not None:
                half = (width if row.shift else WIDTH) / 2
                ends = [(place + half, height), (place + COLUMN - half, height)]
                style = "-" if row.links == "line" else "->"
                arrow(panel, *(ends[::-1] if row.links == "left" else ends), style=style)
        if row.name:
            panel.text(-0.75, height, row.name, ha="right", va="center", fontsize=9)
    margin = 0.7 + 0.095 * max(len(row.name) for row in rows)
    panel.set_xlim(-margin, (steps - 1) * COLUMN + 0.7)
    panel.set_ylim(-0.5, (len(rows) - 1) * ROW + 0.5)
    _finish(panel, title)


def draw_loop(panel: plt.Axes, title: str = "") -> None:
    """Draws a recurrent layer as it is written: one cell that hands its state to itself."""
    box(panel, 0, 0, "$x_t$", "input")
    box(panel, 0, ROW, "cell", "state")
    box(panel, 0, 2 * ROW, "$h_t$", "output")
    for level in (0, 1):
        arrow(panel, (0, level * ROW + HEIGHT / 2), (0, (level + 1) * ROW - HEIGHT / 2))
    path = [(0, 1.53 * ROW), (0.85, 1.53 * ROW), (0.85, ROW), (WIDTH / 2, ROW)]
    wire(panel, path)
    panel.text(0.95, 1.26 * ROW, "$h_{t-1}$", va="center")
    panel.set_xlim(-0.7, 1.6)
    panel.set_ylim(-0.5, 2 * ROW + 0.5)
    _finish(panel, title)


def draw_simple_rnn(panel: plt.Axes) -> None:
    """Draws a step of a SimpleRNN: one sum and one tanh."""
    _body(panel, 1.0, 5.4)
    wire(panel, [(0, 2.2), (2.08, 2.2)], "$h_{t-1}$", 0.5)
    wire(panel, [(2.4, 0), (2.4, 1.88)], "$x_t$", 0.35)
    circle(panel, 2.4, 2.2, "+")
    wire(panel, [(2.72, 2.2), (3.5, 2.2)])
    box(panel, 4, 2.2, "tanh", "gate", 1.0, 0.6)
    wire(panel, [(4.5, 2.2), (6.4, 2.2)], "$h_t$", -0.45)
    panel.text(2.55, 1.45, "$W$", fontsize=9)
    panel.text(1.5, 2.35, "$R$", fontsize=9)
    _finish(panel, "SimpleRNN", (0, 6.4))


def draw_lstm(panel: plt.Axes) -> None:
    """Draws a step of an LSTM: the cell state on top, and three gates that act on it."""
    _body(panel, 1.0, 9.4)
    wire(panel, [(0, 4.8), (2.08, 4.8)], "$c_{t-1}$", 0.5)
    wire(panel, [(2.72, 4.8), (4.48, 4.8)])
    wire(panel, [(5.12, 4.8), (10.4, 4.8)], "$c_t$", -0.45)
    wire(panel, [(0, 1.2), (7.2, 1.2)], "$h_{t-1}$", 0.5, head=False)
    wire(panel, [(1.4, 0), (1.4, 1.2)], "$x_t$", 0.35, head=False)
    for place, text, name in (
        (2.4, "σ", "forget"),
        (4.0, "σ", "input"),
        (5.6, "tanh", ""),
        (7.2, "σ", "output"),
    ):
        wire(panel, [(place, 1.2), (place, 1.9)])
        box(panel, place, 2.2, text, "gate", 1.0, 0.6)
        panel.text(place - 0.12, 2.75, name, fontsize=8, ha="right")
    panel.text(5.3, 2.75, "$g$", fontsize=9)
    wire(panel, [(2.4, 2.5), (2.4, 4.48)])
    wire(panel, [(4.0, 2.5), (4.0, 3.5), (4.48, 3.5)])
    wire(panel, [(5.6, 2.5), (5.6, 3.5), (5.12, 3.5)])
    wire(panel, [(4.8, 3.82), (4.8, 4.48)])
    wire(panel, [(8.4, 4.8), (8.4, 4.3)])
    box(panel, 8.4, 4.0, "tanh", "vector", 1.0, 0.6)
    wire(panel, [(8.4, 3.7), (8.4, 3.32)])
    wire(panel, [(7.2, 2.5), (7.2, 3.0), (8.08, 3.0)])
    wire(panel, [(8.4, 2.68), (8.4, 1.2), (10.4, 1.2)], "$h_t$", -0.45)
    for place, height, sign in ((2.4, 4.8, "×"), (4.8, 3.5, "×"), (4.8, 4.8, "+"), (8.4, 3.0, "×")):
        circle(panel, place, height, sign)
    _finish(panel, "LSTM", (0, 10.4))


def draw_gru(panel: plt.Axes) -> None:
    """Draws a step of a GRU: what the update gate does not keep, the proposal fills."""
    _body(panel, 1.0, 8.0)
    wire(panel, [(0, 4.8), (2.08, 4.8)], "$h_{t-1}$", 0.5)
    wire(panel, [(2.72, 4.8), (6.58, 4.8)])
    wire(panel, [(7.22, 4.8), (9.0, 4.8)], "$h_t$", -0.45)
    wire(panel, [(1.2, 4.8), (1.2, 1.2), (6.9, 1.2)], head=False)
    wire(panel, [(1.6, 0), (1.6, 1.2)], "$x_t$", 0.35, head=False)
    for place, text, name in ((2.4, "σ", "update"), (4.0, "σ", "reset"), (6.9, "tanh", "")):
        wire(panel, [(place, 1.2), (place, 1.9)])
        box(panel, place, 2.2, text, "gate", 1.0, 0.6)
        panel.text(place + 0.12, 2.68, name, fontsize=8)
    panel.text(7.1, 2.72, r"$\tilde h$", fontsize=9)
    wire(panel, [(2.4, 2.5), (2.4, 4.48)])
    panel.text(2.52, 3.95, "$z$", fontsize=9)
    wire(panel, [(2.4, 3.5), (4.18, 3.5)])
    wire(panel, [(4.82, 3.5), (6.58, 3.5)], head=True)
    panel.text(5.35, 3.62, "$1-z$", fontsize=9)
    wire(panel, [(4.5, 2.2), (5.13, 2.2)])
    wire(panel, [(5.45, 1.2), (5.45, 1.88)])
    wire(panel, [(5.77, 2.2), (6.4, 2.2)])
    wire(panel, [(6.9, 2.5), (6.9, 3.18)])
    wire(panel, [(6.9, 3.82), (6.9, 4.48)])
    circle(panel, 4.5, 3.5, "1−")
    for place, height, sign in (
        (2.4, 4.8, "×"),
        (5.45, 2.2, "×"),
        (6.9, 3.5, "×"),
        (6.9, 4.8, "+"),
    ):
        circle(panel, place, height, sign)
    _finish(panel, "GRU", (0, 9.0))


def draw_residual(panel: plt.Axes, depth: int, title: str = "") -> None:
    """Draws layers one behind the other, and the short cut around each but the first."""
    box(panel, 0, 0, "$x$", "input")
    end = WIDTH / 2  # of what is drawn
    for layer in range(depth):
        arrow(panel, (end, 0), (end + 0.6, 0))
        box(panel, end + 1.1, 0, f"layer {layer + 1}", "state", 1.0)
        if layer:
            circle(panel, end + 2.3, 0, "+", 0.28)
            arrow(panel, (end + 1.6, 0), (end + 2.02, 0))
            left, right = end + 0.25, end + 2.3
            wire(panel, [(left, 0), (left, 0.65), (right, 0.65), (right, 0.28)])
        end += 2.58 if layer else 1.6
    arrow(panel, (end, 0), (end + 0.5, 0))
    box(panel, end + 0.9, 0, "$h$", "output")
    panel.set_xlim(-0.6, end + 1.5)
    panel.set_ylim(-0.5, 0.9)
    _finish(panel, title)


def draw_encoder_decoder(
    panel: plt.Axes,
    source: Sequence[str],
    target: Sequence[str],
    attention: Sequence[float] | None = None,
    title: str = "",
) -> None:
    """Draws a translation.

    Args:
        panel: where.
        source: the words that are read.
        target: the words that are written; each is read again in the next step.
        attention: the weights of the source's words when the second word is written; without them
            the decoder has the last state of the encoder alone.
        title: of the panel.
    """
    start = len(source) * COLUMN + 0.9  # of the decoder
    top = 3.2 * ROW if attention else 2 * ROW
    for step, word in enumerate(source):
        place = step * COLUMN
        box(panel, place, 0, word, "input")
        arrow(panel, (place, HEIGHT / 2), (place, ROW - HEIGHT / 2))
        box(panel, place, ROW, f"$h_{step + 1}$", "state")
        if step:
            ends = (place - COLUMN + WIDTH / 2, ROW), (place - WIDTH / 2, ROW)
            arrow(panel, *ends, style="<->")
    arrow(panel, ((len(source) - 1) * COLUMN + WIDTH / 2, ROW), (start - WIDTH / 2, ROW))
    middle = (start + (len(source) - 1) * COLUMN) / 2
    panel.text(middle, ROW + 0.1, "bridge", ha="center", va="bottom", fontsize=8)
    for step, (before, word) in enumerate(zip(("<start>", *target), target, strict=False)):
        place = start + step * COLUMN
        box(panel, place, 0, before, "input")
        arrow(panel, (place, HEIGHT / 2), (place, ROW - HEIGHT / 2))
        box(panel, place, ROW, f"$s_{step + 1}$", "state")
        arrow(panel, (place, ROW + HEIGHT / 2), (place, top - HEIGHT / 2))
        box(panel, place, top, word, "output")
        if step:
            arrow(panel, (place - COLUMN + WIDTH / 2, ROW), (place - WIDTH / 2, ROW))
    if attention:
        centre, height = (len(source) - 1) * COLUMN / 2, 2.35 * ROW
        for step, weight in enumerate(attention):
            ends = [step * COLUMN, centre], [ROW + HEIGHT / 2, height - HEIGHT / 2]
            panel.plot(*ends, color="tab:red", linewidth=0.5 + 7 * weight, alpha=0.6, zorder=0.5)
            outer = 1 if step * COLUMN > centre else -1
            side = {"ha": "left" if outer > 0 else "right", "fontsize": 9}
            panel.text(step * COLUMN + 0.1 * outer, ROW + 0.36, rf"$\alpha_{step + 1}$", **side)
        box(panel, centre, height, "$c_2$", "vector")
        second = start + COLUMN
        path = [(centre + WIDTH / 2, height), (second - 0.62, height), (second - 0.62, top)]
        wire(panel, [*path, (second - WIDTH / 2, top)])
        query = [(second - 0.18, ROW + HEIGHT / 2), (second - 0.18, 1.75 * ROW)]
        wire(panel, [*query, ((len(source) - 0.72) * COLUMN, 1.75 * ROW)], style=":")
        panel.text(
            (len(source) - 0.3) * COLUMN, 1.81 * ROW, "asks with $s_2$", va="bottom", fontsize=8
        )
    panel.text((len(source) - 1) * COLUMN / 2, -0.55, "encoder", ha="center", va="center")
    panel.text(start + (len(target) - 1) * COLUMN / 2, -0.55, "decoder", ha="center", va="center")
    panel.set_xlim(-0.6, start + (len(target) - 1) * COLUMN + 0.6)
    panel.set_ylim(-0.8, top + 0.4)
    _finish(panel, title)


def box(
    panel: plt.Axes,
    place: float,
    height: float,
    text: str,
    kind: str,
    width: float = WIDTH,
    tall: float = HEIGHT,
) -> None:
    """Draws a box around its middle."""
    corner = (place - width / 2, height - tall / 2)
    panel.add_patch(plt.Rectangle(corner, width, tall, facecolor=COLOURS[kind], edgecolor="black"))
    size = 10 if len(text) < 6 or "$" in text else 8
    panel.text(place, height, text, ha="center", va="center", fontsize=size)


def circle(panel: plt.Axes, place: float, height: float, sign: str, radius: float = 0.32) -> None:
    """Draws an operation, element by element."""
    panel.add_patch(plt.Circle((place, height), radius, facecolor="white", edgecolor="black"))
    panel.text(place, height, sign, ha="center", va="center_baseline", fontsize=10)


def arrow(panel: plt.Axes, start: tuple, end: tuple, style: str = "->") -> None:
    """Draws a straight arrow, or a line with the style "-"."""
    properties = {"arrowstyle": style, "color": "black", "shrinkA": 0, "shrinkB": 0}
    panel.annotate("", end, start, arrowprops=properties)


def wire(
    panel: plt.Axes,
    path: Sequence[tuple],
    name: str = "",
    along: float = 0.0,
    head: bool = True,
    style: str = "-",
) -> None:
    """Draws a line of straight parts, with an arrow at its end, and a name.

    Args:
        panel: where.
        path: the corners.
        name: stands above the line, or beside it where that begins upward.
        along: how far from the beginning, or, if negative, from the end.
        head: whether there is an arrow.
        style: of the line.
    """
    panel.plot(*zip(*path, strict=True), color="black", linewidth=1.1, linestyle=style)
    if head:
        arrow(panel, path[-2], path[-1])
    if name:
        (left, low), (right, high) = path[:2] if along > 0 else path[-2:]
        if low == high:
            panel.text((left if along > 0 else right) + along, low + 0.14, name, ha="center")
        else:
            panel.text(left + 0.14, low + along, name, va="center")


def _body(panel: plt.Axes, left: float, right: float) -> None:
    size = (right - left, 4.9)
    panel.add_patch(
        plt.Rectangle((left, 0.6), *size, facecolor=COLOURS["body"], edgecolor="gray", zorder=0)
    )


def _finish(panel: plt.Axes, title: str, across: tuple[float, float] | None = None) -> None:
    if across:
        panel.set_xlim(*across)
        panel.set_ylim(-0.1, 5.7)
    panel.set_aspect("equal")
    panel.set_title(title, fontsize=11)
    panel.axis("off")

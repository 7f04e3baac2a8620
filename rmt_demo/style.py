"""The common style of all figures.

Backgrounds are transparent and text is a grey that is readable on white and on black, so that a figure fits light and
dark pages. Line colours are the colour-blind-safe palette of Okabe and Ito (jfly.uni-koeln.de/color).
"""

import plotly.graph_objects as go

GREY = "#767676"  # contrast 4.5 on white and 4.6 on black
GRID = "rgba(128, 128, 128, 0.25)"
# Okabe and Ito's palette without yellow, which is invisible on white, and with grey in place of black.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", GREY)
# Lines differ in their symbols too, not only in colour.
SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "triangle-down", "x")
CONFIG = {"showSendToCloud": False}  # plotly: no button that uploads the figure
HEAT = "Cividis"  # colour-blind-safe: dark blue is low, yellow is high


def line_style(i: int) -> dict:
    """Colour and symbol of line `i`."""
    return {"line_color": pick(PALETTE, i), "marker": {"symbol": pick(SYMBOLS, i), "size": 8}}


def pick(choices: tuple, i: int):
    """Choice `i`, wrapping around at the end."""
    return choices[i % len(choices)]


def empty(title: str, x: str, y: str) -> go.Figure:
    """An empty figure in the common style."""
    figure = go.Figure()
    figure.update_layout(
        template="none",
        title={"text": title, "font_size": 15, "x": 0, "xref": "paper"},  # left, since the buttons are on the right
        font={"color": GREY, "size": 12},
        modebar={"bgcolor": "rgba(0, 0, 0, 0)", "color": GREY},
        paper_bgcolor="rgba(0, 0, 0, 0)",
        plot_bgcolor="rgba(0, 0, 0, 0)",
        legend={"orientation": "h", "y": -0.2, "yanchor": "top"},  # below the plot, to fit narrow screens
        margin={"l": 60, "r": 40, "t": 50, "b": 50},
    )
    figure.update_xaxes(title=x, gridcolor=GRID, zeroline=False, linecolor=GREY, automargin=True)
    return figure.update_yaxes(title=y, gridcolor=GRID, zeroline=False, linecolor=GREY, automargin=True)

"""The house style of every figure.

Backgrounds are transparent and text is a grey that reads on white as well as on black, so that one figure serves light
and dark pages. Line colours are Okabe and Ito's (jfly.uni-koeln.de/color), made to be told apart by colour-blind eyes.
"""

import plotly.graph_objects as go

GREY = "#767676"  # contrast 4.5 on white and 4.6 on black
GRID = "rgba(128, 128, 128, 0.25)"
# Okabe and Ito's, without the yellow that disappears on white, and grey in place of the black that does on black.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", GREY)
SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "triangle-down", "x")  # so that colour is not all
CONFIG = {"showSendToCloud": False}  # of plotly: no button that uploads a figure
HEAT = "Cividis"  # the colour-blind-safe map: dark blue is low, yellow is high


def line_style(i: int) -> dict:
    """Colour and symbol of the i-th line."""
    return {"line_color": pick(PALETTE, i), "marker": {"symbol": pick(SYMBOLS, i), "size": 8}}


def pick(choices: tuple, i: int):
    """The i-th choice, over and over."""
    return choices[i % len(choices)]


def empty(title: str, x: str, y: str) -> go.Figure:
    """An empty figure in the house style."""
    figure = go.Figure()
    figure.update_layout(
        template="none",
        title={"text": title, "font_size": 15, "x": 0, "xref": "paper"},  # the buttons are on the right
        font={"color": GREY, "size": 12},
        modebar={"bgcolor": "rgba(0, 0, 0, 0)", "color": GREY},
        paper_bgcolor="rgba(0, 0, 0, 0)",
        plot_bgcolor="rgba(0, 0, 0, 0)",
        legend={"orientation": "h", "y": -0.2, "yanchor": "top"},  # below, where a phone has room for it
        margin={"l": 60, "r": 40, "t": 50, "b": 50},
    )
    figure.update_xaxes(title=x, gridcolor=GRID, zeroline=False, linecolor=GREY, automargin=True)
    return figure.update_yaxes(title=y, gridcolor=GRID, zeroline=False, linecolor=GREY, automargin=True)

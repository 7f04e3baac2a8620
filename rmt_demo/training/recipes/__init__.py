"""The recipes that `python -m rmt_demo train --recipe NAME` knows."""

from .open import FURTHER, MORE, OPEN, ROOMY, SMOKE, WIDER
from .places import CLOSE, PAPER, PAPER_BRIEF, PAPER_SMOKE, STABLE, STEADY
from .stories import AGES, CROWDS, GIVERS, PIECES, RETOLD, SAGAS, STORIES

RECIPES = {
    "open": OPEN,
    "more": MORE,
    "wider": WIDER,
    "roomy": ROOMY,
    "further": FURTHER,
    "stable": STABLE,
    "steady": STEADY,
    "close": CLOSE,
    "stories": STORIES,
    "sagas": SAGAS,
    "givers": GIVERS,
    "pieces": PIECES,
    "crowds": CROWDS,
    "ages": AGES,
    "retold": RETOLD,
    "paper": PAPER,
    "paper-brief": PAPER_BRIEF,
    "paper-smoke": PAPER_SMOKE,
    "smoke": SMOKE,
}

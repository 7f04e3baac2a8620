"""Confidence intervals of accuracies."""

from math import sqrt

Z95 = 1.959964


def wilson(right: int, total: int) -> tuple[float, float]:
    """95% confidence interval of a proportion (Wilson 1927), valid for small counts and near 0 and 1.

    Raises:
        ValueError: if there are no samples.
    """
    if total < 1:
        raise ValueError("An interval needs at least one sample.")
    p, z2 = right / total, Z95**2 / total
    middle, half = p + z2 / 2, Z95 * sqrt(p * (1 - p) / total + z2 / (4 * total))
    return max(0.0, (middle - half) / (1 + z2)), min(1.0, (middle + half) / (1 + z2))


def proportion(outcomes: list[bool]) -> dict:
    """{"accuracy", "low", "high", "samples"} of a list of outcomes, in percent with one decimal."""
    low, high = wilson(sum(outcomes), len(outcomes))
    share = sum(outcomes) / len(outcomes)
    return {
        "accuracy": round(100 * share, 1),
        "low": round(100 * low, 1),
        "high": round(100 * high, 1),
        "samples": len(outcomes),
    }

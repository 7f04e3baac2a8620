"""The paper's results (arXiv 2304.11062), for comparison with ours."""

PAPER_SEGMENTS = (64, 512, 1024, 2048, 4096)
PAPER_TOKENS_READ = (32_000, 256_000, 512_000, 1_024_000, 2_043_904)  # in PAPER_SEGMENTS
# Figure 1: accuracy in percent at PAPER_SEGMENTS, trained on 7 segments. Read off the plot, so accurate
# to about one percent; the paper gives no intervals.
PAPER_ACCURACY = {
    "memorize": (98, 93, 92, 90, 90),
    "detect": (99, 98, 97, 97, 96),
    "reasoning": (89, 85, 84, 83, 82),
}
# Figure 5: {task: {most segments trained on: {segments: accuracy}}}, as far as it can be read off. Chance is 17.
PAPER_STAGES = {
    "memorize": {1: {2: 17, 15: 17}, 2: {15: 24}, 5: {15: 61}, 6: {15: 61}, 7: {15: 100}},
    "detect": {1: {2: 17, 15: 17}, 2: {15: 24}, 7: {15: 100}},
    "reasoning": {7: {1: 52, 2: 100, 6: 100, 15: 91}},
}

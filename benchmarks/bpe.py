"""Learning BPE, side by side: ours, a trainer that recounts everything, and `tokenizers`.

    python -m benchmarks.bpe TEXT_FILE [--merges 1000] [--bytes 1000000]

All learn from the same text, on one core, and time is that of the processor. Printed are ratios to
the library `tokenizers` (written in Rust), which comes with `transformers`.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

os.environ["RAYON_NUM_THREADS"] = "1"

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

import tokenjourney as tj
from tokenjourney.bpe import regex_split
from tokenjourney.training.bpe import units_of

Pair = tuple[bytes, bytes]


def recounting(text: str, n_merges: int) -> list[Pair]:
    """The algorithm as it is told: count all pairs, merge one, and count all pairs again."""
    pieces = Counter(regex_split(text))
    words = [(units_of(piece), count) for piece, count in pieces.items()]
    merges: list[Pair] = []
    for _ in range(n_merges):
        counts: Counter[Pair] = Counter()
        for word, count in words:
            for pair in pairwise(word):
                counts[pair] += count
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        for word, _ in words:
            index = 0
            while index < len(word) - 1:
                if word[index] == best[0] and word[index + 1] == best[1]:
                    word[index : index + 2] = [best[0] + best[1]]
                index += 1
        merges.append(best)
    return merges


def by_tokenizers(text: str, n_merges: int) -> int:
    """Hugging Face's trainer, on bytes with GPT-2's split. Returns the size of its vocabulary."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=256 + n_merges,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([text], trainer)
    return tokenizer.get_vocab_size()


def seconds(work: Callable[[], object]) -> tuple[float, object]:
    """Processor time, and what came out."""
    before = time.process_time()
    result = work()
    return time.process_time() - before, result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--merges", type=int, default=1000)
    parser.add_argument("--bytes", type=int, default=1_000_000)
    chosen = parser.parse_args()
    text = chosen.file.read_bytes()[: chosen.bytes].decode("utf-8", "ignore")
    ours, steps = seconds(lambda: tj.train_bpe(text, chosen.merges))
    plain, merges = seconds(lambda: recounting(text, chosen.merges))
    peer, size = seconds(lambda: by_tokenizers(text, chosen.merges))
    assert [(step.left, step.right) for step in steps] == merges, "the two must agree"
    print(
        f"{len(text.encode()):,} bytes, {len(steps):,} merges; tokenizers learned {size:,} tokens"
    )
    for name, spent in (("tokenizers", peer), ("tj.train_bpe", ours), ("recounting", plain)):
        print(f"{name:14} {spent / peer:7.2f}   ({spent:.2f} s)")


if __name__ == "__main__":
    main()

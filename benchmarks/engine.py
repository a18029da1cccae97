"""The engine beside `transformers` and TransformerLens: `python -m benchmarks.engine`.

Same machine, same weights (GPT-2 small's size, random, fp32), two threads, contenders in turn,
medians. Everything is a ratio to a contender in the same run: below 1 is quicker or smaller, but
for tokens per second, where above 1 is quicker. TransformerLens takes part where it is installed
(`python -m pip install transformer-lens==4.3.0`).
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import torch

import tokenjourney as tj
from benchmarks.contenders import CONTENDERS, Run, make_weights
from benchmarks.measuring import medians, memory_growth, process_seconds, table

Found = TypeVar("Found")
Row = tuple[str, float | None, float | None]
OURS, CAPTURING, PLAIN, LENS, FLOOR = CONTENDERS


def prompt(seed: int, length: int) -> list[int]:
    """Token IDs, other ones for every seed: nobody may gain by having seen them before."""
    return random.Random(seed).choices(range(50_257), k=length)


def opened(folder: Path) -> dict[str, Run]:
    """The contenders that are installed."""
    found = {}
    for name, make in CONTENDERS.items():
        try:
            found[name] = make(folder)
        except ImportError as error:
            print(f"{name} does not take part: {error}", file=sys.stderr)
    return found


def against(times: dict[str, float], name: str, other: str) -> float | None:
    """The ratio of two medians; None where the other one did not take part."""
    return times[name] / times[other] if other in times else None


def trace_rows(folder: Path, rounds: int) -> list[Row]:
    """Traces of 32, 128 and 1,024 tokens."""
    runs = opened(folder)
    rows: list[Row] = []
    for length, target, lens_target in ((32, 0.78, 0.65), (128, 0.68, 0.65), (1024, 0.48, None)):
        tasks: dict[str, Callable[[int], object]] = {
            name: lambda number, run=run, n=length: run(prompt(number, n))
            for name, run in runs.items()
        }
        times = medians(tasks, max(3, rounds * 32 // max(32, length)) | 1)
        what = f"trace, {length:,} tokens, against"
        rows += [
            (f"{what} {CAPTURING}", against(times, OURS, CAPTURING), target),
            (f"{what} {LENS}", against(times, OURS, LENS), lens_target),
            (f"{what} {PLAIN}", against(times, OURS, PLAIN), None),
            (f"{what} {FLOOR}", against(times, OURS, FLOOR), None),
            (f"{FLOOR}, {length:,} tokens, against {CAPTURING}",
             against(times, FLOOR, CAPTURING), None),
        ]  # fmt: skip
    return rows


def growth_rows(folder: Path, rounds: int) -> list[Row]:
    """Cost per token at growing lengths, as a ratio to that at 64: it may grow as products do."""
    run = CONTENDERS[OURS](folder)
    lengths = (64, 128, 256, 512, 1024)
    times = medians(
        {str(n): lambda number, n=n: run(prompt(number, n)) for n in lengths}, max(3, rounds // 4)
    )
    return [
        (f"trace, seconds per token at {n:,} against 64", times[str(n)] / n / (times["64"] / 64),
         None)
        for n in lengths[1:]
    ]  # fmt: skip


def journey_rows(folder: Path, rounds: int) -> list[Row]:
    """Deriving a block's stations, and growing by a token, against a trace."""
    model = tj.load_model(folder)
    made: dict[str, Any] = {}

    def trace(number: int) -> None:
        made["new"] = tj.trace(model, prompt(number, 128))

    def derive(number: int) -> None:
        made["new"]["pattern", number % model.config.n_layers]

    trace(0)
    times = medians({"trace": trace, "derive": derive}, rounds)
    made["long"] = tj.trace(model, prompt(0, 512))

    def grow(number: int) -> None:
        made["long"] = made["long"].extend(abs(number))

    longer = medians({"grow": grow, "trace": lambda n: tj.trace(model, prompt(n, 513))},
                     max(3, rounds // 3))  # fmt: skip
    return [
        ("deriving one block of 128 tokens, against a trace", against(times, "derive", "trace"),
         0.12),
        ("extending 512 tokens by one, against a trace", against(longer, "grow", "trace"), 0.08),
    ]  # fmt: skip


def generation_rows(folder: Path, rounds: int) -> list[Row]:
    """Tokens per second with the KV cache, against `transformers` generate; above 1 is quicker."""
    from transformers import GPT2LMHeadModel

    peer: Any = GPT2LMHeadModel.from_pretrained(folder, attn_implementation="sdpa").eval()
    n_new = 48

    @torch.inference_mode()
    def theirs(number: int) -> None:
        ids = torch.tensor([prompt(number, 32)])
        peer.generate(ids, max_new_tokens=n_new, min_new_tokens=n_new, do_sample=False,
                      attention_mask=torch.ones_like(ids), pad_token_id=50_256)  # fmt: skip

    def ours(model: Any, number: int) -> None:
        for _ in tj.generate(model, prompt(number, 32), max_new_tokens=n_new, temperature=0):
            pass

    targets = {"fp32": 1.2, "bf16": 1.6, "int8": 2.5}
    tasks: dict[str, Callable[[int], object]] = {
        weights: partial(ours, tj.load_model(folder, weights=weights)) for weights in targets
    }
    times = medians(tasks | {"theirs": theirs}, max(3, rounds // 3))
    return [
        (f"generation in {weights}, tokens per second, against transformers generate",
         against(times, "theirs", weights), target)
        for weights, target in targets.items()
    ]  # fmt: skip


def process_rows(folder: Path, rounds: int) -> list[Row]:
    """Whole processes: open the model and run eight tokens; import alone."""
    ours = f"import tokenjourney as tj; tj.trace(tj.load_model({str(folder)!r}), [1] * 8)"
    theirs = (
        "import torch; from transformers import AutoTokenizer, GPT2LMHeadModel\n"
        f"tokenizer = AutoTokenizer.from_pretrained({str(folder)!r})\n"
        f"model = GPT2LMHeadModel.from_pretrained({str(folder)!r})\n"
        "with torch.inference_mode(): model(torch.tensor([[1] * 8]))"
    )
    tasks = {
        "ours": process_seconds(ours),
        "theirs": process_seconds(theirs),
        "tokenjourney": process_seconds("import tokenjourney"),
        "torch": process_seconds("import torch"),
    }
    times = medians(tasks, max(3, rounds // 2))
    return [
        ("a whole process, eight tokens, against transformers", against(times, "ours", "theirs"),
         0.45),
        ("import tokenjourney, against import torch", against(times, "tokenjourney", "torch"), 1.1),
    ]  # fmt: skip


def memory_of(name: str, folder: Path) -> int:
    """Bytes by which a contender's memory grows with 1,024 tokens; in a process of its own."""
    run = CONTENDERS[name](folder)
    # twice: what is kept for good, such as a packed W_U, is no growth of this trace
    return memory_growth(
        lambda: [run(prompt(seed, 32)) for seed in (0, 2)], lambda: run(prompt(1, 1024))
    )


def memory_rows(folder: Path, threads: int) -> list[Row]:
    """Peak memory growth of 1,024 tokens, each contender in a process of its own."""
    growth: dict[str, float] = {}
    for name in (OURS, CAPTURING, LENS):
        try:
            growth[name] = apart(threads, memory_of, name, folder)
        except ImportError as error:
            print(f"memory of {name} was not measured: {error}", file=sys.stderr)
    what = "peak memory growth, 1,024 tokens, against"
    return [
        (f"{what} {CAPTURING}", against(growth, OURS, CAPTURING), 0.20),
        (f"{what} {LENS}", against(growth, OURS, LENS), 0.08),
    ]


def apart(threads: int, work: Callable[..., Found], *arguments: object) -> Found:
    """What `work` returns, in a process of its own: what one part leaves in memory slows another.

    Raises:
        ImportError: What it needs is not installed.
    """
    with ProcessPoolExecutor(
        1, multiprocessing.get_context("spawn"), torch.set_num_threads, (threads,)
    ) as process:
        return process.submit(work, *arguments).result()


PARTS: dict[str, Callable[[Path, int], list[Row]]] = {
    "process": process_rows,
    "journey": journey_rows,
    "generation": generation_rows,
    "growth": growth_rows,
    "trace": trace_rows,
}


def main() -> None:
    """Measures what was asked for and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parts = ("memory", *PARTS)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(parts)}; all where none is named")
    parser.add_argument("--weights", type=Path, help="a folder to keep the random weights in")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    if unknown := set(options.parts) - set(parts):
        parser.error(f"There is no part {', '.join(unknown)}; the parts are {', '.join(parts)}.")
    with tempfile.TemporaryDirectory() as temporary:
        folder, vocabulary = make_weights(options.weights or Path(temporary))
        began = time.perf_counter()
        rows: list[Row] = []
        for part in options.parts or parts:
            if part == "memory":
                rows += memory_rows(folder, options.threads)
            else:
                rows += apart(options.threads, PARTS[part], folder, options.rounds)
        print(table(rows))
        print(f"\n{options.rounds} rounds, {options.threads} threads, torch {torch.__version__}, "
              f"{vocabulary}, {time.perf_counter() - began:,.0f} s in all")  # fmt: skip


if __name__ == "__main__":
    main()

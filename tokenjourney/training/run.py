"""Training a model from a text file to a folder that anyone can load."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from tokenjourney.beyond.checkpoints import save_checkpoint
from tokenjourney.beyond.network import make_network
from tokenjourney.bpe import regex_split
from tokenjourney.model.config import GPT2Config
from tokenjourney.model.gpt2 import GPT2
from tokenjourney.tokenizer import Tokenizer
from tokenjourney.training.bpe import bpe_steps
from tokenjourney.training.corpus import END_OF_TEXT, Repetition, Windows, read_stories
from tokenjourney.training.evaluate import bits_per_byte
from tokenjourney.training.loop import Recipe, make_optimizers, training_steps
from tokenjourney.training.progress import load_progress, read_facts, save_progress

Say = Callable[[str], None]
STEP_CARD = "The same model after {step} steps. Its card stands two folders up.\n"


@dataclass(frozen=True)
class Run:
    """One training run.

    Attributes:
        corpus: Text files, stories between lines of `<|endoftext|>`.
        validation: A text file never trained on, for measuring and early stopping.
        work: Folder for the vocabulary, the progress and the log; a run found there is resumed.
        config: Sizes of the model; d_vocab counts single bytes, merges and the end-of-text token.
        recipe: How to train.
        repetition: Share of windows that repeat themselves.
        extra: Further text files that are trained on but do not shape the vocabulary.
        evaluate_every: Steps between two measurements on the validation text.
        patience: Measurements without a new best before training stops early.
        keep_steps: Numbers of steps after which the weights are kept for good; 0 is before any.
    """

    corpus: Sequence[Path]
    validation: Path
    work: Path
    config: GPT2Config
    recipe: Recipe
    repetition: Repetition = field(default_factory=Repetition)
    extra: Sequence[Path] = ()
    evaluate_every: int = 250
    patience: int = 8
    keep_steps: Sequence[int] = ()

    @property
    def latest(self) -> Path:
        """The file to resume from."""
        return self.work / "latest.safetensors"

    @property
    def best(self) -> Path:
        """The file with the weights that were best on the validation text."""
        return self.work / "best.safetensors"


def train(run: Run, say: Say = print) -> Path:
    """Trains, or goes on training, until the steps are done or the model stops improving.

    Returns:
        The file with the weights that were best on the validation text.

    Raises:
        TokenJourneyError: a corpus cannot be read, the folder holds a run of other sizes, or the
            loss is no longer a number.
    """
    run.work.mkdir(parents=True, exist_ok=True)
    stories = read_stories(run.corpus)
    tokenizer = vocabulary(stories, run.config.d_vocab, run.work / "vocabulary.json", say)
    more = read_stories(run.extra) if run.extra else []
    held_out = read_stories([run.validation])
    recipe = run.recipe
    windows = Windows([*stories, *more], tokenizer, run.config.n_ctx, recipe.seed, run.repetition)
    torch.manual_seed(recipe.seed)
    network = make_network(run.config)
    network.initialise(torch.Generator().manual_seed(recipe.seed))
    optimizers = make_optimizers(network, recipe)
    facts = _facts(run, network, optimizers, say)
    n_parameters = sum(parameter.numel() for parameter in network.parameters())
    say(f"{windows.n_tokens:,} tokens of text, {n_parameters:,} parameters.")
    began = time.perf_counter() - facts["seconds"]
    losses: list[float] = []

    def measured() -> float:
        return bits_per_byte(network, tokenizer, held_out)

    if facts["step"] == 0:
        _keep(run, network, 0, measured)
    batches = windows.batches(recipe.batch_size, facts["step"])
    for report in training_steps(network, optimizers, batches, recipe, facts["step"]):
        losses.append(report.loss)
        step = facts["step"] = report.step + 1
        _keep(run, network, step, measured)
        if step % run.evaluate_every and step != recipe.steps:
            continue
        facts["seconds"] = time.perf_counter() - began
        bits = measured()
        _note(run, facts, sum(losses) / len(losses), bits, report.rate, say)
        losses.clear()
        _save(run, network, optimizers, facts, bits)
        if step - facts["best_step"] >= run.patience * run.evaluate_every:
            say(f"No better since step {facts['best_step']:,}: stopping early.")
            break
    return run.best


def _facts(
    run: Run, network: GPT2, optimizers: list[torch.optim.Optimizer], say: Say
) -> dict[str, Any]:
    """Where the run stands: at its start, or where it was left, as network and optimizers then."""
    if not run.latest.exists():
        return {"step": 0, "best": math.inf, "best_step": 0, "seconds": 0.0}
    facts = load_progress(run.latest, network, optimizers)
    say(f"Resuming at step {facts['step']:,} of {run.recipe.steps:,}.")
    return facts


def _keep(run: Run, network: GPT2, step: int, measured: Callable[[], float]) -> None:
    """Keeps the weights for good, where they are wanted of this step."""
    if step in run.keep_steps:
        save_progress(kept_weights(run, step), network, [], {"step": step, "bits": measured()})


def _save(
    run: Run, network: GPT2, optimizers: list[torch.optim.Optimizer], facts: dict[str, Any],
    bits: float,
) -> None:  # fmt: skip
    """Saves the run to be resumed, and its weights where they are the best so far."""
    if bits < facts["best"]:
        facts |= {"best": bits, "best_step": facts["step"]}
        save_progress(run.best, network, [], {**facts, "recipe": asdict(run.recipe)})
    save_progress(run.latest, network, optimizers, facts)


def _note(run: Run, facts: dict[str, Any], loss: float, bits: float, rate: float, say: Say) -> None:
    """Says how far a run is, and writes it into its log, one line of JSON each time."""
    step, seconds, recipe = facts["step"], facts["seconds"], run.recipe
    log = {"step": step, "train_loss": loss, "bits_per_byte": bits, "rate": rate}
    with (run.work / "log.jsonl").open("a") as file:
        file.write(json.dumps({**log, "seconds": round(seconds)}) + "\n")
    speed = step * recipe.batch_size * run.config.n_ctx / seconds
    say(
        f"step {step:,} of {recipe.steps:,}: train loss {loss:.3f}, held out {bits:.4f} bits per "
        f"byte, {speed:,.0f} tokens a second"
    )


def vocabulary(stories: Sequence[str], d_vocab: int, path: Path, say: Say = print) -> Tokenizer:
    """The BPE vocabulary of these stories, learned once and then read from `path`."""
    if path.exists():
        pairs = [tuple(map(bytes.fromhex, pair)) for pair in json.loads(path.read_text())]
    else:
        n_merges = d_vocab - 256 - 1
        say(f"Learning {n_merges:,} merges …")
        pieces: Counter[str] = Counter()
        for story in stories:
            pieces.update(regex_split(story))
        pairs = [(step.left, step.right) for step in bpe_steps(pieces, n_merges)]
        path.write_text(json.dumps([[left.hex(), right.hex()] for left, right in pairs]))
    return Tokenizer.from_merges([(left, right) for left, right in pairs], [END_OF_TEXT])


def kept_weights(run: Run, step: int) -> Path:
    """The file of the weights after that step, one of `keep_steps`."""
    return run.work / f"step-{step:05}.safetensors"


def publish(weights: Path, run: Run, out: Path, card: str) -> None:
    """Writes the best weights as a folder that `load_model` opens, fp16, with its card.

    Args:
        weights: The file that `train` returned.
        run: The run it came from.
        out: The folder to write.
        card: The model card, README.md of that folder.
    """
    network = make_network(run.config)
    load_progress(weights, network)
    tokenizer = vocabulary((), run.config.d_vocab, run.work / "vocabulary.json")
    save_checkpoint(out, network, tokenizer, dtype=torch.float16)
    (out / "README.md").write_text(card, encoding="utf-8")


def publish_steps(run: Run, out: Path) -> None:
    """Writes the weights of `keep_steps` as folders `steps/N` in the published one, and their list.

    The list, steps.json, holds for every step its number, its folder and the bits per byte on the
    validation text; last the published weights themselves, whose folder is ".".
    """
    found = []
    for step in sorted(run.keep_steps):
        path = kept_weights(run, step)
        if not path.exists():
            continue  # training stopped before
        publish(path, run, out / "steps" / str(step), STEP_CARD.format(step=f"{step:,}"))
        found.append({"step": step, "folder": f"steps/{step}", "bits": read_facts(path)["bits"]})
    best = read_facts(run.best)
    found.append({"step": best["step"], "folder": ".", "bits": best["best"]})
    (out / "steps.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")

"""The small models that come along beside the bundled one, on the reader's prompt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tokenjourney as tj
from tokenjourney.analysis.beyond import kept_numbers, stored_result
from tokenjourney.analysis.experts import ExpertSurvey, stored_expert_survey
from tokenjourney.beyond.network import active_parameters
from tokenjourney.figures.export import Table
from tokenjourney.figures.strips import window
from tokenjourney.model.loading import MODELS_FOLDER
from tokenjourney.ui import cache
from tokenjourney.ui.text import Safe, escaped

if TYPE_CHECKING:
    from tokenjourney.journey import Journey
    from tokenjourney.model import Model
    from tokenjourney.ui.page import Page

NAMES = ("mha-mlp", "mla-mlp", "mha-moe", "mla-moe")
"""GPT-2's parts; latent attention; experts; both."""


@dataclass(frozen=True, eq=False)
class Small:
    """One of these models on the prompt, in its own tokens.

    Attributes:
        model: The model.
        journey: The prompt's Journey through it; its first n_ctx tokens.
        labels: Visible texts of its tokens.
        token: Position of the token in which the followed one begins, or the last.
        alike: Whether its tokens are those of the chips above.
        cut: Whether the prompt was longer than its context.
    """

    model: Model
    journey: Journey
    labels: tuple[str, ...]
    token: int
    alike: bool
    cut: bool

    @property
    def clicks(self) -> tuple[str, ...]:
        """What a click on one of its tokens sets: the followed token, where it is the same."""
        return ("token",) if self.alike else ()


def small(page: Page, name: str) -> Small:
    """The small model `name` on the page's prompt, whichever model the picker names."""
    model = _model(name)
    assert model.tokenizer is not None
    whole = model.tokenizer.encode(page.journey.text)
    ids = tuple(whole[: model.config.n_ctx])
    journey = cache.fact(("small journey", name, ids), lambda: tj.trace(model, ids))
    begins = page.journey.tokens[page.token].start
    reached = [place for place, token in enumerate(journey.tokens) if token.start <= begins]
    return Small(
        model,
        journey,
        cache.labels(journey),
        reached[-1] if reached else 0,
        ids == tuple(page.journey.token_ids),
        len(whole) > len(ids),
    )


def drawn(page: Page, small: Small) -> Safe | str:
    """Which tokens a figure of rows shows, where they are not all: the page's text "window"."""
    n = len(small.labels)
    first, end = window(n, small.token)
    return page.text("window", first=first, last=end - 1, T=n) if end - first < n else ""


def survey(name: str) -> ExpertSurvey:
    """Where the tokens of the held-out stories go in a model with experts."""
    return cache.fact(("experts", name), lambda: stored_expert_survey(folder_of(name)))


def _model(name: str) -> Model:
    return cache.fact(("small model", name), lambda: tj.load_model(folder_of(name)))


def folder_of(name: str) -> Path:
    """The folder of a small model."""
    return MODELS_FOLDER / name


def favourites(found: ExpertSurvey, block: int, model: Model, heads: tuple[str, str, str]) -> Safe:
    """The tokens that each expert of a block gets most, as a list of cards."""
    rows = []
    for expert, tokens in enumerate(found.top[block]):
        chips = " ".join(
            '<code style="margin-right:6px" '
            f'title="{n:,} times, {share:.0%} of this token’s choices">'
            f"{escaped(cache.label(model, i))}</code>"
            for i, n, share in tokens
        )
        load = found.loads[block, expert] / found.loads[block].mean()
        rows.append(f"<tr><td>{expert}</td><td>{load:.2f}</td><td>{chips}</td></tr>")
    head = "".join(f"<th>{escaped(one)}</th>" for one in heads)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    return Safe(f'<div class="tj-table" tabindex="0" style="max-height:none">{table}</div>')


def comparison() -> Table:
    """The four models side by side: parameters, cache, and bits per byte on the held-out text."""
    return cache.fact("small models compared", _compared)


def _compared() -> Table:
    rows = []
    for name in NAMES:
        model = _model(name)
        kinds = kept_numbers(model.config)
        bits, steps = stored_result(folder_of(name))
        rows.append(
            (
                name,
                model.n_parameters,
                active_parameters(model.network),
                kinds.get("mla", kinds["mha"]),
                f"{bits:.3f}",
                steps,
            )
        )
    columns = ["model", "parameters", "of them met by a token", "numbers kept of a token and block"]
    return [*columns, "bits per byte on held-out stories", "training steps"], rows


def table_html(table: Table) -> Safe:
    """A table to be read, with thousands separated."""
    columns, rows = table
    head = "".join(f"<th>{escaped(str(one))}</th>" for one in columns)

    def written(cell: object) -> str:
        return f"{cell:,}" if isinstance(cell, int) else str(cell)

    body = "".join(
        "<tr>" + "".join(f"<td>{escaped(written(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    table_ = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return Safe(f'<div class="tj-table" tabindex="0">{table_}</div>')


__all__ = [
    "NAMES",
    "Small",
    "comparison",
    "drawn",
    "favourites",
    "small",
    "survey",
    "table_html",
]

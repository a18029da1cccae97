"""A Journey as one HTML file that opens anywhere, without a server and without a network."""

from __future__ import annotations

from html import escape

import plotly.io as pio

from tokenjourney.analysis.attention import dot_products, scaled_scores
from tokenjourney.analysis.lens import logit_lens, residual_norms
from tokenjourney.analysis.output import sampled_choice
from tokenjourney.errors import HookError
from tokenjourney.figures.attention import attention_matrices_figure
from tokenjourney.figures.output import output_figure
from tokenjourney.figures.text import number, share
from tokenjourney.figures.theme import Theme, as_theme, css_variables
from tokenjourney.journey import Journey
from tokenjourney.model.hooks import check_index
from tokenjourney.tokens import visible

N_ROWS = 12
"""Candidates in the picture of the choice."""

_STYLE = """
body { max-width: 1240px; margin: 32px auto; padding: 0 24px; font: 16px/1.5 system-ui, sans-serif;
  background: var(--tj-bg); color: var(--tj-ink); font-variant-numeric: tabular-nums; }
h1 { font-size: 30px; } h2 { font-size: 19px; margin-top: 40px; }
p { color: var(--tj-ink2); } td, th { padding: 4px 12px 4px 0; text-align: left; }
th { color: var(--tj-ink3); font-weight: 600; } table { border-collapse: collapse; }
tr { border-bottom: 1px solid var(--tj-line); } div.wide { overflow-x: auto; }
"""


def html_report(
    journey: Journey, block: int = 0, head: int = 0, theme: Theme | str = "light"
) -> str:
    """The way of a prompt as a page: tokens, one head's attention, best guesses, the choice.

    Args:
        journey: A Journey with its model.
        block: The block whose attention is shown.
        head: The head of that block.
        theme: "light" or "dark".

    Raises:
        HookError: no such block or head, or the Journey was loaded without its model.
    """
    model = journey.model
    if model is None:
        raise HookError("A report needs the model: Journey.load(path, model=...).")
    check_index("block", block, journey.config.n_layers)
    check_index("head", head, journey.config.n_heads)
    theme = as_theme(theme)
    labels = [visible(token.bytes) for token in journey.tokens]
    last = len(journey) - 1
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Token Journey</title>",
        f"<style>:root {{ {css_variables(theme)} }}{_STYLE}</style>",
        f"<h1>{escape(journey.text)}</h1>",
        f"<p>{len(journey)} tokens through {escape(journey.model_name)}: "
        f"{journey.config.n_layers} blocks of {journey.config.n_heads} heads.</p>",
        "<h2>Tokens</h2>",
        _table(
            ["position", "token", "ID", "bytes", "length after the last block"],
            [
                [str(i), label, str(token.id), token.bytes.hex(" "), number(length)]
                for i, (token, label, length) in enumerate(
                    zip(journey.tokens, labels, residual_norms(journey)[-1], strict=True)
                )
            ],
        ),
        f"<h2>Block {block}, head {head}: from match to share</h2>",
        _attention(journey, block, head, labels, theme),
        "<h2>Best guess for the next token, by the logit lens</h2>",
        _guesses(journey, last),
        "<h2>From scores to a choice</h2>",
        _choice(journey, last, theme),
        "</html>",
    ]
    return "\n".join(parts)


def _attention(journey: Journey, block: int, head: int, labels: list[str], theme: Theme) -> str:
    products = dot_products(journey["q", block][:, head], journey["k", block][:, head])
    figure = attention_matrices_figure(
        dot_products=products,
        scaled=scaled_scores(products, journey.config.d_head),
        pattern=journey["pattern", block][head],
        d_head=journey.config.d_head,
        labels=labels,
        followed=len(journey) - 1,
        theme=theme,
    )
    # the first figure brings plotly.js along for both
    return f"<div class='wide'>{pio.to_html(figure, full_html=False, include_plotlyjs=True)}</div>"


def _guesses(journey: Journey, position: int) -> str:
    model = journey.model
    assert model is not None
    lens = logit_lens(model, journey, slice(position, position + 1))
    names = ["before block 0", *(f"after block {i}" for i in range(journey.config.n_layers))]
    rows = [
        [name, _label(journey, int(best)), share(float(probability))]
        for name, best, probability in zip(
            names, lens.best[:, 0], lens.probability[:, 0], strict=True
        )
    ]
    return _table(["depth", "best guess", "probability"], rows)


def _choice(journey: Journey, position: int, theme: Theme) -> str:
    choice = sampled_choice(journey.logits_at(position), position)
    shown = choice.order[:N_ROWS]
    figure = output_figure(
        logits=choice.logits,
        scaled=choice.scaled,
        probabilities=choice.probabilities,
        kept=choice.kept,
        renormalised=choice.renormalised,
        token_ids=[int(i) for i in shown],
        labels=[_label(journey, int(i)) for i in shown],
        chosen=choice.chosen,
        chosen_label=_label(journey, choice.chosen),
        draw=choice.point,
        seed=0,
        entropies=choice.entropies,
        theme=theme,
    )
    return f"<div class='wide'>{pio.to_html(figure, full_html=False, include_plotlyjs=False)}</div>"


def _label(journey: Journey, token_id: int) -> str:
    return visible(journey.token_bytes(token_id))


def _table(columns: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th scope='col'>{escape(column)}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

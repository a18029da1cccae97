"""The words around the five columns of the output: titles, bits of choice, the token drawn."""

import numpy as np

from tokenjourney.figures.drawing import Sketch, heading, note
from tokenjourney.figures.output_layout import LEFT, ROWS_END, Choice
from tokenjourney.figures.text import count, escaped, number, shortened, token_markup


def add_headings(
    figure: Sketch, choice: Choice, temperature: float, draw: float | None, seed: int | None
) -> None:
    """The title over each column, and under it what happens there."""
    theme, stay = choice.theme, int(choice.kept.sum())
    effect = "closer together" if temperature > 1 else "further apart"
    if temperature == 1:
        effect = "nothing changes"
    logits, scaled = choice.score_columns
    drawn = (
        "" if draw is None else f"{'' if seed is None else f'seed {seed} '}draws {number(draw, 3)}"
    )
    for title, subtitle, x in (
        ("1 Logits", "scores, any number", logits.left),
        (
            "2 ÷ temperature",
            f"÷ {temperature:g}: {effect}" if temperature else "0: greedy",
            scaled.left,
        ),
        ("3 Top-k, top-p", f"mass up to each rank; {count(stay)} stay", choice.ranks.left),
        ("4 Probabilities", "kept ones, summing to 1", choice.kept_shares.left),
        ("5 Choice", drawn.strip(), ROWS_END + 0.02),
    ):
        figure.notes(*heading(title, subtitle, x, 1, theme=theme))


def add_words(
    figure: Sketch, choice: Choice, chosen_label: str, entropies: tuple[float, float, float] | None
) -> None:
    """What stands beside the columns: what the rows are, the bits of choice, the token drawn."""
    theme = choice.theme
    size = count(len(choice.logits))
    figure.notes(note(f"all<br>{size}", 0, 1, valign="top", shift=(-LEFT + 12, -18)))
    figure.notes(
        note(
            "√ of count", 0, 1, valign="top", size=12.5, colour=theme.ink3, shift=(-LEFT + 12, -56)
        )
    )
    top = choice.height / choice.plot_height
    figure.notes(note(f"top {len(choice.rows)}", 0, top, valign="bottom", shift=(-LEFT + 12, 2)))
    if entropies is not None:
        _add_entropies(figure, entropies, choice)
    if choice.chosen is not None:
        _add_chosen(figure, choice, chosen_label)


def _add_entropies(figure: Sketch, entropies: tuple[float, float, float], choice: Choice) -> None:
    theme, x = choice.theme, choice.kept_shares.left
    texts = (
        f"entropy {number(entropies[0])} bits",
        f"after temperature {number(entropies[1])}",
        f"<b>after the cut {number(entropies[2])}</b>",
    )
    for line, text in enumerate(texts):
        colour = theme.ink if line == 2 else theme.ink2
        figure.notes(note(text, x, 1, valign="top", shift=(0, -4 - 20 * line), colour=colour))
    figure.notes(
        note("bits: yes/no questions left", x, 1, valign="top", shift=(0, -66), size=12.5,
             colour=theme.ink3)
    )  # fmt: skip


def _add_chosen(figure: Sketch, choice: Choice, chosen_label: str) -> None:
    theme, x = choice.theme, ROWS_END + 0.02
    figure.notes(note("the draw falls on", x, 1, valign="top", shift=(0, -4)))
    figure.notes(
        note(
            f"<b>{escaped(shortened(chosen_label, 12))}</b>",
            x,
            1,
            valign="top",
            shift=(2, -28),
            size=16,
            colour=theme.on_accent,
            bgcolor=theme.accent,
            borderpad=5,
            name="chosen",
        )
    )
    best = int(np.argmax(choice.logits))
    known = np.flatnonzero(choice.rows == best)
    if best == choice.chosen:
        said = "greedy takes it too"
    elif known.size:
        label = token_markup(shortened(choice.labels[int(known[0])], 10), theme=theme)
        said = f"greedy takes {label}"
    else:
        return
    figure.notes(note(said, x, 1, valign="top", shift=(0, -64), colour=theme.ink2))

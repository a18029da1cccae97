"""Embeddings: from an ID to a vector, by looking it up."""

import streamlit as st

import tokenjourney as tj
from tokenjourney import ui
from tokenjourney.analysis.neighbours import (
    arithmetic_vector,
    cosine_matrix,
    cosine_similarities,
    nearest_rows,
    neighbourhood,
    row_lengths,
    row_overlap,
    unit_rows,
    untrained_embedding,
)
from tokenjourney.analysis.projections import principal_plane
from tokenjourney.analysis.words import known_examples, typed_token, typing_of
from tokenjourney.figures.bars import bars_figure
from tokenjourney.figures.embeddings import map_figure, similarity_figure
from tokenjourney.figures.export import matrix_table
from tokenjourney.figures.learning import (
    Neighbourhood,
    neighbourhoods_figure,
    neighbourhoods_table,
)
from tokenjourney.figures.lookup import lookup_figure, lookup_table
from tokenjourney.figures.strips import strips_figure, strips_table, window
from tokenjourney.figures.text import number, share, signed

page = ui.open_page("embeddings")
page.shapes("(T)", "(T, d_model)")

model, config = page.model, page.model.config
W_E, size = model.W_E, f"{config.d_vocab:,}"
lengths = page.row_lengths()
followed = page.journey.token_ids[page.token]

first, end = window(config.d_vocab, followed, 11)
page.figure(
    "lookup",
    lambda: lookup_figure(
        W_E[first:end], first=first, chosen=followed, d_vocab=config.d_vocab, theme=page.theme,
        labels=[page.label(token_id) for token_id in range(first, end)],
    ),
    lambda: lookup_table(W_E[followed], token_id=followed, label=page.label(followed)),
    label=ui.token(page.label(followed)),
    id=followed,
)  # fmt: skip
page.look_for()


def compared(which: str, matrix, known, token: int):
    """The cosines of all rows of a matrix with a token's, and the nearest twelve."""

    def found():
        one = matrix[token]
        return (
            cosine_similarities(matrix, one, known),
            nearest_rows(matrix, one, 12, lengths=known, without=[token]),
        )

    return page.remember(f"{which} {token}", found, of="model")


def chosen_token(name: str, label: str, default: str = "") -> int | None:
    """A token of the vocabulary that the reader types, the followed one where nothing is said.

    None, with a card, if there is no such token.
    """
    typed = page.entry(name, label, default or page.label(followed))
    if not default and typed == page.label(followed):
        return followed
    try:
        return typed_token(typed, model.tokenizer, config.d_vocab)
    except tj.TokenJourneyError as error:
        ui.refuse(error)
        return None


@ui.part
def near() -> None:
    """The nearest tokens in the whole vocabulary."""
    page.section("near", d_vocab=size)
    token = chosen_token("near", page.plain("near_label"))
    if token is None:
        return
    _, found = compared("learned", W_E, lengths, token)
    labels = [page.label(row) for row in found.rows]
    page.figure(
        "near",
        lambda: bars_figure(
            labels=labels, values=found.cosines, axis=page.plain("near_axis"), limit=1.0,
            groove=True, theme=page.theme,
            click=[typing_of(row, model.tokenizer, config.d_vocab) for row in found.rows.tolist()],
        ),
        lambda: (
            ["rank", "ID", "token", "cosine"],
            [
                (rank, int(row), label, float(cosine))
                for rank, (row, label, cosine) in enumerate(
                    zip(found.rows, labels, found.cosines, strict=True), start=1
                )
            ],
        ),
        clicks="near",
        d_vocab=size,
        label=ui.token(page.label(token), followed=token == followed),
    )  # fmt: skip


def similarity() -> None:
    """Every token of the prompt with every other."""
    page.section("similarity")
    if len(page.journey) == 1:
        page.say("similarity_alone", token=page.token_html)
        return
    cosines = cosine_matrix(W_E[list(page.journey.token_ids)])
    page.figure(
        "similarity",
        lambda: similarity_figure(
            cosines=cosines, labels=page.texts_of_tokens, followed=page.token, wide=440,
            theme=page.theme,
        ),
        lambda: matrix_table(
            cosines, rows=page.labels, columns=page.labels, row_name="token",
            column_name="other token", value_name="cosine",
        ),
        clicks={"token": "y"},
        small=page.text("similarity_small", T=f"{len(cosines):,}") if len(cosines) > 432 else "",
    )  # fmt: skip


@ui.part
def flat_map() -> None:
    """The prompt's tokens among their neighbours, on the plane in which they differ most."""
    ids = page.journey.token_ids
    near_followed = list(dict.fromkeys((followed, *ids[::-1])))[:60]
    usual = 6 if len(near_followed) <= 12 else 2
    heading = st.container()
    with page.columns([1, 2])[0]:
        each = int(page.slider("each", page.plain("map_label"), 0, 12, usual))
    own, others = page.remember(
        f"map {each} {near_followed}",
        lambda: neighbourhood(W_E, near_followed, each, lengths=lengths),
    )
    rows = [*own, *others]
    plane = page.remember(f"plane {rows}", lambda: principal_plane(unit_rows(W_E[rows])))
    labels = [page.label(row) for row in rows]
    with heading:
        page.section("map", n=len(rows), d_model=config.d_model)
    page.figure(
        "map",
        lambda: map_figure(
            points=plane.points, labels=labels, groups=[0] * len(own) + [1] * len(others),
            followed=0, shares=plane.shares, theme=page.theme,
            click=[*(ids.index(row) for row in own), *(None for _ in others)],
        ),
        lambda: (
            ["token", "ID", "kind", "first direction", "second direction"],
            [
                (label, row, "prompt" if i < len(own) else "neighbour", *map(float, point))
                for i, (label, row, point) in enumerate(
                    zip(labels, rows, plane.points, strict=True)
                )
            ],
        ),
        clicks="token",
        share=share(float(sum(plane.shares))),
        d_model=config.d_model,
    )  # fmt: skip


@ui.part
def arithmetic() -> None:
    """Word arithmetic, a − b + c, with tokens of the reader's choice."""
    page.section("arithmetic")
    words = known_examples(page.texts["examples"], model.tokenizer, config.d_vocab)
    default = words[0] if words else [""] * 3
    names = ("plus", "minus", "plus2")
    with page.row("examples", gap="small"):
        for example in words[:4]:
            st.button(
                ui.plain_label("{} − {} + {}".format(*example)), width="stretch",
                on_click=ui.put, kwargs=dict(zip(names, example, strict=True)),
            )  # fmt: skip
    labels = ("plus_label", "minus_label", "plus_too_label")
    with page.row("words", gap="small"):
        chosen = [
            chosen_token(name, page.plain(label), word)
            for name, label, word in zip(names, labels, default, strict=True)
        ]
    itself = page.toggle("inputs", page.plain("inputs_label"))
    if None in chosen:
        return
    a, b, c = chosen
    found = page.remember(
        f"sum {a} {b} {c} {itself}",
        lambda: nearest_rows(W_E, arithmetic_vector(W_E, a, b, c), 10, lengths=lengths,
                             without=() if itself else (a, b, c)),
        of="model",
    )  # fmt: skip
    labels = [page.label(row) for row in found.rows]
    marks = {name: ui.token(page.label(row), followed=False)
             for name, row in zip("abc", (a, b, c), strict=True)}  # fmt: skip
    page.say("sum_says", best=ui.token(labels[0], followed=False), **marks)
    page.figure(
        "arithmetic",
        lambda: bars_figure(
            labels=labels, values=found.cosines, axis=page.plain("arithmetic_axis"), limit=1.0,
            groove=True, theme=page.theme,
        ),
        lambda: (
            ["rank", "ID", "token", "cosine with a − b + c"],
            [
                (rank, int(row), label, float(cosine))
                for rank, (row, label, cosine) in enumerate(
                    zip(found.rows, labels, found.cosines, strict=True), start=1
                )
            ],
        ),
        caption=f"figures.arithmetic.caption_{'with' if itself else 'without'}",
        d_vocab=size,
    )  # fmt: skip


@ui.part
def learned() -> None:
    """W_E at the start and after training: the same token's neighbours in both."""
    page.section("learned")
    left, right = page.columns([3, 1])
    with left:
        token = chosen_token("grown", page.plain("learned_label"))
    with right:
        seed = int(page.slider("start", page.plain("another_seed"), 0, 9, 0))
    if token is None:
        return
    known = compared("learned", W_E, lengths, token)
    after = _side(known, page.plain("after"), page.plain("after_note"))
    rows = [token, *known[1].rows[:7].tolist()]

    def drawn():
        matrix = untrained_embedding(config, seed)
        return matrix, row_lengths(matrix), row_overlap(W_E, matrix)

    # slow to draw, and the same for every token
    start, start_lengths, kept = page.remember(f"start {seed}", drawn, of="model")
    then = compared(f"start {seed}", start, start_lengths, token)
    before = _side(then, page.plain("at_start"), page.plain("at_start_note", seed=seed))
    start_rows = start[rows]
    labels = [page.label(row) for row in rows]
    columns = [
        (side.title, side.subtitle, unit_rows(matrix))
        for side, matrix in ((before, start_rows), (after, W_E[rows]))
    ]
    page.figure(
        "matrices",
        lambda: strips_figure(
            columns=columns, labels=labels, ids=rows, joints=(), numbers=range(len(rows)),
            followed=0 if token == followed else None,
            lines=max(1, round(config.d_model / 192)), theme=page.theme,
        ),
        lambda: strips_table(columns=columns, labels=labels),
        label=ui.token(page.label(token), followed=token == followed),
        short=number(float(row_lengths(start_rows).mean())),
        long=number(float(row_lengths(W_E[rows]).mean())),
    )  # fmt: skip
    page.figure(
        "learned",
        lambda: neighbourhoods_figure([before, after], label=page.label(token), itself=token,
                                      theme=page.theme),
        lambda: neighbourhoods_table([before, after]),
    )  # fmt: skip
    page.say(f"start_{'other' if kept.is_chance else 'own'}", seed=seed, kept=number(kept.mean))


def _side(found, title: str, subtitle: str) -> Neighbourhood:
    cosines, nearest = found
    labels = [page.label(row) for row in nearest.rows[:8]]
    return Neighbourhood(title, subtitle, cosines, labels, nearest.cosines[:8])


left, right = page.columns(2)
with left:
    near()
with right:
    similarity()
flat_map()
arithmetic()
learned()

row = W_E[followed]
nearest = int(compared("learned", W_E, lengths, followed)[1].rows[0])
page.formula(
    r"x_t = \text{one-hot}(t)\, W_E = W_E[t] \qquad "
    r"\cos(u, v) = \frac{u \cdot v}{|u|\,|v|}",
    [
        (rf"W_E[{followed}]", f"= [{', '.join(signed(x, 3) for x in row[:4])}, …]"),
        (rf"|W_E[{followed}]|", f"= {number(lengths[followed], 3)}"),
        (
            rf"\cos({ui.latex(page.label(followed))}, {ui.latex(page.label(nearest))})",
            f"= {number(cosine_matrix(W_E[[followed, nearest]])[0, 1], 3)}",
        ),
    ],
)
page.source(tj.model.gpt2.GPT2.embed, nearest_rows, principal_plane)

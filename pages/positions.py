"""Positions: where in the text a token stands."""

import streamlit as st

import tokenjourney as tj
from tokenjourney import ui
from tokenjourney.analysis.neighbours import cosine_matrix, row_lengths
from tokenjourney.analysis.positions import (
    cosines_of_two,
    padded_rows,
    places_with,
    seen_around,
    similarity_by_distance,
    sinusoidal_positions,
    swap_effect,
    swapped_order,
    two_places,
    two_words,
    way_up,
    words_of,
)
from tokenjourney.figures.change import change_figure, change_table
from tokenjourney.figures.embeddings import similarity_figure
from tokenjourney.figures.export import matrix_table
from tokenjourney.figures.positions import (
    distance_figure,
    position_pictures_figure,
    positions_table,
    two_places_figure,
)
from tokenjourney.figures.strips import strips_figure, strips_table, window
from tokenjourney.figures.swap import swap_figure, swap_table
from tokenjourney.figures.text import count, number, share, signed

MOST_ROWS, MOST_PLACES = 24, 400

page = ui.open_page("positions")
page.shapes("(T, d_model)", "(T, d_model)")

journey, config, W_pos = page.journey, page.model.config, page.model.W_pos
token, place = journey["hook_embed"], journey["hook_pos_embed"]
total = journey["blocks.0.hook_resid_pre"]
places = two_places(journey.token_ids, page.token)
marks = [ui.token(page.labels[p], followed=p == page.token) for p in places or ()]
again = (
    page.text("again_twice", one=marks[0], other=marks[1]) if places else page.text("again_none")
)
stations = [
    page.plain("token_station"), page.plain("sum_station"),
    *(page.plain("block_station", block=block) for block in range(config.n_layers)),
]  # fmt: skip

start, end = window(len(journey), page.token, MOST_ROWS)
columns = [
    (page.plain(f"column_{name}"), page.plain(f"column_{name}_note"), values)
    for name, values in (("token", token), ("place", place), ("sum", total))
]
page.figure(
    "sum",
    lambda: strips_figure(
        columns=[(title, note, values[start:end]) for title, note, values in columns],
        labels=page.labels[start:end], ids=journey.token_ids[start:end],
        followed=page.token - start, alike=[p - start for p in places or () if p != page.token],
        numbers=range(start, end), theme=page.theme,
    ),
    lambda: strips_table(columns=columns, labels=page.texts_of_tokens),
    rows=page.text("sum_rows", first=start, last=end - 1, T=len(journey))
    if end - start < len(journey) else "",
)  # fmt: skip
page.look_for(again=again)


def two() -> None:
    """The same token at two positions, through the blocks."""
    if places is None:
        page.section("no_two")
        page.say("no_two")
        st.button(page.plain("try_two"), on_click=ui.put, kwargs={"prompt": page.plain("try_two")})
        return
    cosines = cosines_of_two(way_up(journey), *places)
    page.section("two", one=marks[0], other=marks[1])
    page.figure(
        "two",
        lambda: two_places_figure(
            cosines=cosines, stations=[*stations[:2], *map(str, range(config.n_layers))],
            labels=(page.labels[places[0]], page.labels[places[1]]),
            axis=page.plain("two_axis"), theme=page.theme,
        ),
        lambda: (["station", "cosine"], list(zip(stations, map(float, cosines), strict=True))),
    )  # fmt: skip


@ui.part
def swap() -> None:
    """Two words swapped, and what that changes."""
    page.section("swap")
    words = words_of(journey)
    if len(words) < 2:
        page.say("one_word")
        return
    options = {str(i): f"{i}: {ui.plain_label(word.label)}" for i, word in enumerate(words)}
    usual = two_words(words)
    left, right, _ = page.columns([1, 1, 2], gap="small", vertical_alignment="bottom")
    with left:
        first = int(page.choose("swap", page.plain("swap_first"), options,
                                str(usual[0]), as_list=True))  # fmt: skip
    with right:
        second = int(page.choose("with", page.plain("swap_second"), options,
                                 str(usual[1]), as_list=True))  # fmt: skip
    order = swapped_order([word.size for word in words], first, second)
    if tuple(journey.token_ids[old] for old in order) == journey.token_ids:
        page.say("same_place")
        return
    effect = page.remember(f"swap {order}", lambda: swap_effect(journey, order))
    tokenizer = page.model.tokenizer
    text = tokenizer.decode(effect.token_ids) if tokenizer else " ".join(map(str, effect.token_ids))
    moved = [new for new, old in enumerate(order) if old != new]
    near = seen_around([moved[0], moved[-1]], len(journey))
    parts = [
        tokenizer.decode(effect.token_ids[part.start : part.stop])
        if tokenizer
        else " ".join(map(str, effect.token_ids[part.start : part.stop]))
        for part in near
    ]
    said = "swapped_says" if len(parts) == 1 and parts[0] == text else "swapped_says_around"
    shown = " … ".join(parts)
    if near[0].start > 0:
        shown = f"… {shown}"
    if near[-1].stop < len(journey):
        shown = f"{shown} …"
    page.say(said, text=ui.markup("**{text}**", text=shown))
    if tokenizer and tuple(tokenizer.encode(text)) != effect.token_ids:
        page.say("swapped_again")
    page.figure(
        "swap",
        lambda: swap_figure(
            effect.cosines, order=order, labels=page.labels, stations=stations,
            followed=page.token, theme=page.theme,
        ),
        lambda: swap_table(effect.cosines, order=order, labels=page.labels, stations=stations),
    )  # fmt: skip
    change = effect.prediction
    labels = [page.label(token_id) for token_id in change.token_ids]
    page.figure(
        "prediction",
        lambda: change_figure(
            labels=labels, before=change.before, after=change.after, theme=page.theme
        ),
        lambda: change_table(labels=labels, before=change.before, after=change.after),
        moved=share(change.moved),
    )


def all_places() -> None:
    """W_pos as a picture beside the fixed one, and how alike two places are in both."""
    more = config.n_ctx + config.n_ctx // 4
    fixed = page.remember("fixed", lambda: sinusoidal_positions(more, config.d_model), of="model")
    last = f"{config.n_ctx - 1:,}"
    page.section("wpos", n_ctx=f"{config.n_ctx:,}")
    page.figure(
        "pictures",
        lambda: position_pictures_figure(
            panels=[
                (page.plain("learned_title"), page.plain("learned_note", last=last),
                 padded_rows(W_pos, more)),
                (page.plain("fixed_title"), page.plain("fixed_note"), fixed),
            ],
            tokens=len(journey), followed=page.token, theme=page.theme,
        ),
        lambda: positions_table(positions=W_pos),
        hangs_on=(len(journey), page.token),
        T=f"{len(journey):,}", n_ctx=f"{config.n_ctx:,}", last=last, more=f"{more - 1:,}",
    )  # fmt: skip
    page.section("alike")
    tables = {"learned": W_pos, "fixed": fixed[: config.n_ctx]}
    drawn = places_with(page.token, config.n_ctx, MOST_PLACES)
    shown = [count(position) for position in drawn]
    every = page.text("every", step=drawn.step, place=count(page.token)) if drawn.step > 1 else ""
    curves = []
    pair = page.row("alike")
    for name, table in tables.items():
        cosines = page.remember(
            f"alike {name} {drawn}", lambda t=table: cosine_matrix(t[list(drawn)]), of="model"
        )
        by_distance = page.remember(
            f"distance {name}", lambda t=table: similarity_by_distance(t), of="model"
        )
        curves.append((page.plain(f"{name}_name"), *by_distance))
        with pair:
            page.figure(
                name,
                lambda c=cosines: similarity_figure(
                    cosines=c, labels=shown, followed=drawn.index(page.token), wide=440,
                    axis=page.plain("alike_axis"), theme=page.theme,
                ),
                lambda c=cosines: matrix_table(
                    c, rows=shown, columns=shown, row_name="position",
                    column_name="other position", value_name="cosine",
                ),
                hangs_on=(page.token,), every=every,
            )  # fmt: skip
    page.figure(
        "distance",
        lambda: distance_figure(curves=curves, theme=page.theme),
        lambda: (
            ["positions apart", *(f"{name}, {part}" for name, *_ in curves
                                  for part in ("mean", "smallest", "largest"))],
            [
                (apart, *(float(part[apart]) for _, *parts in curves for part in parts))
                for apart in range(config.n_ctx)
            ],
        ),
        hangs_on=(),
    )  # fmt: skip


two()
swap()
all_places()


def vector(name: str, row) -> tuple[str, str]:
    """A line of the formula: a vector's first numbers and its length."""
    first = ", ".join(signed(x, 3) for x in row[:4])
    return name, rf"= [{first}, …] \quad \text{{length }} {number(row_lengths([row])[0])}"


followed = journey.token_ids[page.token]
page.formula(
    rf"x_i = W_E[t_i] + W_{{pos}}[i] \qquad i = {page.token},\quad t_i = {followed}",
    [
        vector(rf"W_E[{followed}]", token[page.token]),
        vector(rf"W_{{pos}}[{page.token}]", place[page.token]),
        vector(rf"x_{{{page.token}}}", total[page.token]),
    ],
    position=page.token,
)
page.formula(
    r"PE[p, 2i] = \sin\!\left(\frac{p}{10000^{2i/d}}\right) \qquad "
    r"PE[p, 2i{+}1] = \cos\!\left(\frac{p}{10000^{2i/d}}\right) \qquad "
    rf"d = {config.d_model}",
    [vector(rf"PE[{page.token}]", sinusoidal_positions(config.n_ctx, config.d_model)[page.token])],
    key="formula_fixed",
    title=page.plain("fixed_title"),
)
page.source(tj.model.gpt2.GPT2.embed, sinusoidal_positions, swapped_order)

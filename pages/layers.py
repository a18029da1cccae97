"""The stack: what becomes of the prediction, block after block."""

import tokenjourney as tj
from tokenjourney import ui
from tokenjourney.analysis.attribution import direct_logit_attribution
from tokenjourney.analysis.lens import logit_lens, residual_norms, token_depths
from tokenjourney.figures.attribution import attribution_figure, attribution_table, shown_parts
from tokenjourney.figures.layers import (
    lens_figure,
    lens_table,
    norms_figure,
    norms_table,
    rank_figure,
)
from tokenjourney.figures.strips import window
from tokenjourney.figures.text import count, number, share

MOST_ROWS, N_OPTIONS = 24, 10

page = ui.open_page("layers")
page.shapes("(T, d_model)", "n_layers × (T, d_model)", "(T, d_model)")
journey, model, position, theme = page.journey, page.model, page.token, page.theme
n_layers, d_vocab = model.config.n_layers, model.config.d_vocab
candidates = journey.next_tokens(position=position, k=N_OPTIONS)
answer = candidates[0]


def an_id(text: str) -> str:
    """The text of a token ID, checked."""
    if not (text.isascii() and text.isdigit() and int(text) < d_vocab):
        raise ValueError(f"It must be a token ID from 0 to {d_vocab - 1:,}.")
    return text


def watched() -> int:
    """The token whose way through the blocks is watched."""
    chosen, _ = page.extra("watch", str(answer.token_id), an_id)
    ids = [str(candidate.token_id) for candidate in candidates]
    if chosen not in ids:
        ids.append(chosen)
    options = {i: f"{page.label(int(i))}  {i}" for i in ids}
    left, right = page.columns(2)
    with left:
        chosen = page.choose(
            "watch", page.plain("watch"), options, str(answer.token_id), as_list=True
        )
    with right:
        typed = page.entry("watchtext", page.plain("watch_text"))
    if typed and model.tokenizer is not None:
        return model.tokenizer.encode(typed)[0]
    return int(chosen)


def grid() -> None:
    """The logit lens of the tokens around the followed one."""
    start, end = window(len(journey), position, MOST_ROWS)
    found = page.remember(f"lens {start}", lambda: logit_lens(model, journey, slice(start, end)))
    guesses = [[page.label(int(i)) for i in row] for row in found.best]
    labels = page.labels[start:end]
    chart = lens_figure(
        guesses=guesses,
        probabilities=found.probability,
        labels=labels,
        followed=position - start,
        theme=theme,
    )
    chart.update_traces(customdata=found.cells, selector={"name": "cells: best guess"})
    page.section("lens", token=page.token_html)
    page.figure(
        "lens",
        chart,
        lambda: lens_table(guesses=guesses, probabilities=found.probability, labels=labels),
        clicks=("token", "watch"),
        rows=page.text("some_rows", first=start, last=end - 1, T=count(len(journey)))
        if end - start < len(journey)
        else "",
    )
    page.look_for(
        token=page.token_html,
        answer=ui.token(page.label(answer.token_id)),
        probability=share(answer.probability),
        since=page.text("since.first")
        if (depth := found.settled(position)) == 0
        else page.text("since.block", block=depth - 1),
    )


def way_of_a_token() -> None:
    """Rank and attribution of one token of the vocabulary."""
    page.section("watch", token=page.token_html)
    token_id = watched()
    label = page.label(token_id)
    depths = token_depths(model, journey, position, token_id)
    left, right = page.columns(2)
    with left:
        page.figure(
            "rank",
            rank_figure(
                ranks=depths.rank,
                probabilities=depths.probability,
                label=label,
                vocabulary=d_vocab,
                is_followed=token_id == answer.token_id,
                theme=theme,
            ).update_layout(height=340),
            lambda: (
                ["after block", "rank", "probability", "logit"],
                [
                    (depth - 1 if depth else "before block 0", int(rank), float(p), float(logit))
                    for depth, (rank, p, logit) in enumerate(
                        zip(depths.rank, depths.probability, depths.logit, strict=True)
                    )
                ],
            ),
            word=label,
            rank=count(depths.rank[-1]),
        )
    with right:
        lengths = residual_norms(journey)
        page.figure(
            "norms",
            norms_figure(lengths=lengths, labels=page.texts_of_tokens, followed=position,
                         theme=theme),
            lambda: norms_table(lengths=lengths, labels=page.texts_of_tokens),
            token=page.labels[position],
        )  # fmt: skip
    attribution(token_id, label)


def attribution(token_id: int, label: str) -> None:
    """Which part of the model pushed the watched token."""
    other = next(c.token_id for c in candidates if c.token_id != token_id)
    page.section("attribution", word=ui.token(label, followed=False))
    against = page.toggle("rival", page.plain("rival", rival=ui.plain_label(page.label(other))))
    found = direct_logit_attribution(model, journey, position, token_id, other if against else None)
    parts = {
        "embedding": found.embedding,
        "position": found.position,
        "heads": found.heads,
        "attention_bias": found.attention_bias,
        "mlp": found.mlp,
        "final_bias": found.final_bias,
        "total": found.total,
    }
    what = page.plain("difference" if against else "logit", word=label, rival=page.label(other))
    page.figure(
        "attribution",
        attribution_figure(**parts, what=what, marked=(page.block, page.head), theme=theme),
        lambda: attribution_table(**parts),
        clicks=("block", "head"),
        what=what,
        total=number(found.total),
        error=f"{abs(found.parts_sum - found.total):.0e}",
    )
    page.say(
        "pushes",
        up=shown_parts(found.strongest(3)) or "–",
        down=shown_parts(found.strongest(3, -1)) or "–",
        block=page.block,
        head=page.head,
        push=number(found.heads[page.block, page.head]),
    )
    page.formula(
        r"\text{logit}_t = \sum_{\text{parts } x} \frac{(x - \bar x)}{\sigma} \odot g \cdot W_U[t]"
        r" \; + \; b \cdot W_U[t]",
        [
            (r"\text{token, position}", f"= {found.embedding:.2f} {found.position:+.2f}"),
            *(
                (rf"\text{{block }} {block}",
                 rf"= {found.attention[block]:.2f} \text{{ (attention) }} {found.mlp[block]:+.2f}"
                 r" \text{ (feed-forward)}")
                for block in range(min(n_layers, 12))
            ),
            (r"b \cdot W_U[t]", f"= {found.final_bias:.2f}"),
            (r"\text{all parts}", f"= {found.parts_sum:.4f}"),
            (r"\text{the model says}", f"= {found.total:.4f}"),
        ],
    )  # fmt: skip


grid()
ui.part(way_of_a_token)()
page.source(tj.model.gpt2.Block.forward, logit_lens, direct_logit_attribution)

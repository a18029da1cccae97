"""The stack: what becomes of the prediction, block after block."""

from collections.abc import Callable
from functools import partial

import streamlit as st

import tokenjourney as tj
from tokenjourney import ui
from tokenjourney.analysis.attribution import direct_logit_attribution, writers
from tokenjourney.analysis.lens import logit_lens, residual_norms, token_depths
from tokenjourney.analysis.rollout import attention_rollout, attention_shares, occlusion
from tokenjourney.figures.attribution import attribution_figure, attribution_table, shown_parts
from tokenjourney.figures.layers import norms_figure, norms_table, rank_figure
from tokenjourney.figures.lens import lens_figure, lens_table
from tokenjourney.figures.rollout import occlusion_figure, rollout_figure, rollout_table
from tokenjourney.figures.strips import window
from tokenjourney.figures.text import count, number, share
from tokenjourney.ui.why import outlook, why_it_works

MOST_ROWS, N_OPTIONS, AT_A_TIME = 24, 10, 64
NAMED_FROM = 10_000_000_000  # tokens times parameters

page = ui.open_page("layers")
page.shapes("(T)", "(T, d_model)", "n_layers × (T, d_model)", "(T, d_vocab)")
page.say("same_shape", d_model=page.model.config.d_model, n_layers=page.model.config.n_layers)
journey, model, position, theme = page.journey, page.model, page.token, page.theme
off, untouched = page.off, page.untouched
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
    with page.row("watch"):
        chosen = page.choose(
            "watch", page.plain("watch"), options, str(answer.token_id), as_list=True
        )
        typed = page.entry("watchtext", page.plain("watch_text"))
    if typed and model.tokenizer is not None:
        return model.tokenizer.encode(typed)[0]
    return int(chosen)


def grid() -> None:
    """The logit lens of the tokens around the followed one."""
    rows = slice(start, end)
    found = page.remember(f"lens {start}", lambda: logit_lens(model, journey, rows))
    guesses = [[page.label(int(i)) for i in row] for row in found.best]
    before = None
    if off:
        then = page.remember(f"lens before {start}", lambda: logit_lens(model, untouched, rows))
        before = [[page.label(int(i)) for i in row] for row in then.best]
    labels = page.labels[rows]
    page.section("lens", token=page.token_html)
    page.figure(
        "lens",
        lambda: lens_figure(
            guesses=guesses,
            probabilities=found.probability,
            labels=labels,
            followed=position - start,
            before=before,
            cells=found.cells,
            theme=theme,
        ),
        lambda: lens_table(
            guesses=guesses, probabilities=found.probability, labels=labels, first=start
        ),
        clicks=("token", "watch"),
        rows=page.text("some_rows", first=start, last=end - 1, T=count(len(journey)))
        if end - start < len(journey)
        else "",
        rings=page.text("rings.lens") if off else "",
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
    depths = page.remember(
        f"depths {position} {token_id}", lambda: token_depths(model, journey, position, token_id)
    )
    lengths = residual_norms(journey)
    with page.row("depths"):
        page.figure(
            "rank",
            lambda: rank_figure(
                ranks=depths.rank,
                probabilities=depths.probability,
                label=label,
                vocabulary=d_vocab,
                is_followed=token_id == answer.token_id,
                before=token_depths(model, untouched, position, token_id).rank if off else None,
                theme=theme,
            ),
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
            rings=page.text("rings.rank") if off else "",
        )
        page.figure(
            "norms",
            lambda: norms_figure(lengths=lengths, labels=page.texts_of_tokens, followed=position,
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
    wrote = who_wrote_what()
    rival = other if against else None
    found = direct_logit_attribution(model, journey, position, token_id, rival, wrote)
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
        lambda: attribution_figure(
            **parts, what=what, marked=(page.block, page.head), off=off.members, theme=theme
        ),
        lambda: attribution_table(**parts),
        clicks=("block", "head"),
        what=what,
        total=number(found.total),
        error=f"{abs(found.parts_sum - found.total):.0e}",
    )  # fmt: skip
    page.say(
        "pushes",
        up=shown_parts(found.strongest(3)) or page.text("no_push"),
        down=shown_parts(found.strongest(3, -1)) or page.text("no_push"),
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


def a_count(text: str) -> int:
    """How many batches of tokens were asked for."""
    if not (text.isascii() and text.isdigit() and len(text) < 4):
        raise ValueError("It must be a whole number from 0 to 999.")
    return int(text)


def tried_out(batches: int, stop: Callable[[], None]) -> dict[int, tuple[float, float]]:
    """Position by position, what the answer loses without it: the nearest tokens first."""
    found = {}
    for batch in range(batches):
        end = position + 1 - batch * AT_A_TIME
        tried = range(max(end - AT_A_TIME, 0), max(end, 0))
        if not tried:
            break
        # It fills run by run, so what is done stays when somebody stops or turns to another page.
        results = page.remember(f"occlusion {position} {batch}", dict)
        if len(results) < len(tried):
            run_all(tried, results, stop)
        found |= {one.position: (one.change, one.probability) for one in results.values()}
    return found


def run_all(tried: range, results: dict, stop: Callable[[], None]) -> None:
    """One run for each of these tokens that has none yet, with a bar that says how far it is."""
    place = st.empty()
    with place.container():
        bar = st.empty()
        st.button(page.plain("stop"), key="stop-without", on_click=stop)
    missing = (one for one in tried if one not in results)
    for one in occlusion(model, journey, position, answer.token_id, missing):
        results[one.position] = one
        said = page.plain("trying", token=page.labels[one.position], n=len(results), of=len(tried))
        bar.progress(len(results) / len(tried), ui.plain_label(said))
        ui.serve_click()
    place.empty()


def what_it_rests_on() -> None:
    """Mean attention and rollout beside what happens when a token is taken away."""
    word = page.label(answer.token_id)
    page.section("rests", token=page.token_html, answer=ui.token(word, followed=False))
    every_mean, every_rollout = shares_of_attention()
    mean, rolled = every_mean[position], every_rollout[position]
    page.figure(
        "rollout",
        lambda: rollout_figure(
            mean=mean, rollout=rolled, labels=page.texts_of_tokens, followed=position, theme=theme
        ),
        lambda: rollout_table(mean=mean, rollout=rolled, labels=page.labels),
        clicks="token",
        token=page.labels[position],
    )
    batches, put_batches = page.extra("without", 0, a_count)
    rest = position + 1 - batches * AT_A_TIME
    if rest > 0:
        label = "try_more" if batches else "try"
        st.button(
            page.plain(label, n=min(rest, AT_A_TIME)), key="try-without", on_click=put_batches,
            args=(batches + 1,),
        )  # fmt: skip
    if not batches:
        page.say("not_tried")
        return
    found = tried_out(batches, partial(put_batches, batches - 1))
    missing = (0.0, answer.probability)
    unknown = (float("nan"), float("nan"))
    rows = [found.get(p, missing if p > position else unknown) for p in range(len(journey))]
    changes, shares = [row[0] for row in rows], [row[1] for row in rows]
    page.figure(
        "occlusion",
        occlusion_figure(  # not shared: it shows as many as were tried out until somebody stopped
            changes=changes, probabilities=shares, labels=page.texts_of_tokens, answer=word,
            followed=position, theme=theme,
        ),
        lambda: rollout_table(mean=mean, rollout=rolled, changes=changes, probabilities=shares,
                              labels=page.labels),
        clicks="token", answer=word, probability=share(answer.probability),
    )  # fmt: skip
    missed = min(found, key=lambda p: found[p][0])
    seen = max(range(position + 1), key=lambda p: float(mean[p]))
    page.say(
        "rests_on_one" if missed == seen else "rests_on",
        missed=ui.token(page.labels[missed], followed=False), change=number(found[missed][0]),
        answer=ui.token(word, followed=False), probability=share(found[missed][1]),
        seen=ui.token(page.labels[seen], followed=False), share=share(float(mean[seen])),
        seen_change=number(found[seen][0]) if seen in found else "–",
    )  # fmt: skip


def switched_off() -> None:
    """Parts of the stack switched off, and what that does to the prediction."""
    block, head = page.block, page.head
    page.section("off", block=block, head=head)
    page.switches(off.head(block, head), off.mlp(block), off.attention(block), off.all_attention,
                  off.all_mlps)  # fmt: skip
    page.effect()


def who_wrote_what():
    """What each part of the model wrote at the followed token."""
    return page.remember(f"writers {position}", lambda: writers(journey, position))


def shares_of_attention():
    """Mean attention and rollout of every token."""
    patterns = (journey.passing(block, "pattern")[0] for block in range(n_layers))
    return page.remember("rests", lambda: attention_shares(patterns))


if len(journey) * model.n_parameters > NAMED_FROM:  # the first time this takes seconds: say so
    said = page.plain("waiting", T=count(len(journey)), n_layers=n_layers)
    with st.spinner(said, show_time=False):
        shares_of_attention()
start, end = window(len(journey), position, MOST_ROWS, leap=MOST_ROWS // 2)
grid()
ui.part(way_of_a_token)()
switched_off()
ui.part(what_it_rests_on)()
why_it_works(page, range(start, end))
outlook(page)
page.source(tj.model.gpt2.Block.forward, logit_lens, direct_logit_attribution, attention_rollout,
            occlusion)  # fmt: skip

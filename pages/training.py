"""Training: every prefix is an exercise, and the error flows back to where it came from."""

import streamlit as st

import tokenjourney as tj
from tokenjourney import ui
from tokenjourney.analysis import gradients
from tokenjourney.analysis.lens import unembedded
from tokenjourney.analysis.output import PositionPredictions, position_predictions
from tokenjourney.analysis.untrained import evenness, untrained_patterns
from tokenjourney.figures.bars import pushes_figure
from tokenjourney.figures.error_path import MOST_DRAWN, error_path_figure, error_path_table
from tokenjourney.figures.patterns import PatternPanel, patterns_figure, patterns_table
from tokenjourney.figures.predictions import predictions_figure, predictions_table
from tokenjourney.figures.row_gradients import (
    RowGradients,
    row_gradients_figure,
    row_gradients_table,
)
from tokenjourney.figures.strips import window
from tokenjourney.figures.text import count, number, share
from tokenjourney.training import loop, micro, parts
from tokenjourney.ui import live_training as live
from tokenjourney.ui.growing import growing
from tokenjourney.ui.recorded import recorded

MOST_ROWS, MOST_EXERCISES = 12, 24

page = ui.open_page("training")
page.shapes("(T)", "(T, d_vocab)", "(T, 1)")
journey, config, theme = page.untouched, page.model.config, page.theme
alone = len(journey) == 1
asked = min(page.token, max(0, len(journey) - 2))  # the last token has no next one yet


def every_prefix() -> PositionPredictions:
    """What is compared with what: each position's prediction and what really came."""
    page.section("prefixes", n=len(journey) - 1)
    last = journey[f"blocks.{config.n_layers - 1}.hook_resid_post"]
    found = page.remember(
        "positions", lambda: position_predictions(unembedded(page.model, last), journey.token_ids)
    )
    arguments = {
        "labels": page.texts_of_tokens,
        "guesses": [page.label(int(i)) for i in found.best],
        "guess_probabilities": found.best_probability,
        "true_probabilities": found.true_probability,
        "losses": found.loss,
    }
    page.figure(
        "prefixes",
        lambda: predictions_figure(**arguments, followed=asked, most=MOST_EXERCISES, theme=theme),
        lambda: predictions_table(**arguments),
        mean=number(found.mean_loss), n=len(found.loss), some=some_rows(),
        guess=number(micro.guessing_loss(config.d_vocab)), d_vocab=count(config.d_vocab),
    )  # fmt: skip
    return found


def some_rows() -> str:
    """Which rows are drawn, where they are not all."""
    first, end = window(len(journey), asked, MOST_EXERCISES)
    if end - first == len(journey):
        return ""
    return page.text("some", first=first, last=end - 1, T=count(len(journey)))


def backward(found: PositionPredictions) -> None:
    """The gradient at the logits, its way back, and the rows of the embedding that it reaches."""
    page.section("backward", token=ui.token(page.labels[asked]))
    target = journey.token_ids[asked + 1]
    gradient = gradients.logit_gradient(journey.logits_at(asked), target)
    pulled = gradients.strongest_pulls(gradient, target)
    left, right = page.columns([1.4, 1])
    with left:
        page.figure(
            "logits",
            lambda: pushes_figure(
                promoted_labels=[page.label(target)], promoted=[-gradient[target]],
                suppressed_labels=[page.label(i) for i in pulled],
                suppressed=[-gradient[i] for i in pulled], axis="push on the logit",
                by="The gradient", theme=theme,
            ),
            lambda: (
                ["token", "ID", "probability − 1 if it came"],
                [(page.label(i), i, float(gradient[i])) for i in (target, *pulled)],
            ),
            token=ui.token(page.labels[asked]), came=page.label(target),
            up=number(-gradient[target]), loss=number(found.loss[asked]),
        )  # fmt: skip
    with right:
        page.say("pulls")
    way_back()
    page.say("tied" if config.tied else "untied")
    rows()


def way_back() -> None:
    """From the output down to the embeddings: at which tokens the error stands."""
    if asked >= gradients.MOST_TOKENS:
        page.say("too_far", most=gradients.MOST_TOKENS)
        return
    lengths = page.remember(
        f"way {asked}",
        lambda: gradients.error_path(page.model, journey.token_ids, asked, page.off.edits),
    )
    labels = page.texts_of_tokens[: asked + 1]
    page.figure(
        "way",
        lambda: error_path_figure(lengths=lengths, labels=labels, theme=theme),
        lambda: error_path_table(lengths=lengths, labels=labels),
        token=ui.token(page.labels[asked]), strongest=page.text("strongest", n=MOST_DRAWN)
        if len(labels) > MOST_DRAWN else "",
    )  # fmt: skip


def rows() -> None:
    """Through the lookup only the rows that were used; through the unembedding all."""
    found = page.remember(
        "backward",
        lambda: gradients.backward_pass(page.model, page.untouched.token_ids, page.off.edits),
    )
    used, own = found.used.tolist(), int(journey.token_ids[asked])
    shown = used[:MOST_ROWS]
    if own not in shown and own in used:
        shown[-1] = own
    ways = [
        RowGradients(page.plain(f"ways.{key}.title"), page.plain(f"ways.{key}.note"),
                     values[shown], found.mean_of_others(values, shown))
        for key, values in (
            ("lookup", found.lookup), ("unembedding", found.unembedding), ("both", found.total)
        )[: 3 if found.tied else 2]
    ]  # fmt: skip
    arguments = {
        "labels": [page.label(i) for i in shown],
        "others": page.plain("others", n=count(config.d_vocab - len(shown))),
    }
    page.figure(
        "rows",
        lambda: row_gradients_figure(
            ways, **arguments, followed=shown.index(own) if own in shown else None, theme=theme
        ),
        lambda: row_gradients_table(ways, **arguments),
        n_used=len(used), n_lookup=count((found.lookup > 0).sum()),
        n_unembedding=count((found.unembedding > 0).sum()), d_vocab=count(config.d_vocab),
        taken=page.text(
            "taken_all" if len(found.token_ids) == len(journey) else "taken_some",
            n=len(found.token_ids), T=count(len(journey)),
        ),
    )  # fmt: skip


def live_training() -> None:
    """A micro GPT that is trained now, in this page."""
    page.section("live")
    settings = live.choices(page)
    now, stood_still = live.watched(), live.stands_still()

    @st.fragment(run_every=None if stood_still else live.EVERY_SECONDS)
    def watching() -> None:
        # The buttons are drawn with the state that they go with: of two runs that the server makes
        # at once, Streamlit may lose what the first one drew.
        live.buttons(page, settings)
        if now is None:
            page.say("not_yet", minutes=live.MOST_MINUTES)
            return
        recorded(page, now)
        if live.stands_still() != stood_still:
            st.rerun()

    watching()


@ui.part
def untrained() -> None:
    """The same prompt and the same head, random and trained."""
    page.section("untrained")
    with st.container(key="training-pickers", horizontal=True, gap="large"):
        block, head = page.block_picker(), page.head_picker()
    before = page.remember(
        f"untrained {block}", lambda: untrained_patterns(config, journey.token_ids, block)
    )[head]
    after = journey["pattern", block][head]
    panels = [
        PatternPanel(page.plain("panels.random.title"), page.plain("panels.random.note"), before),
        PatternPanel(page.model.name, page.plain("panels.loaded.note"), after),
    ]
    page.figure(
        "untrained",
        lambda: patterns_figure(
            panels, labels=page.texts_of_tokens, followed=page.token, theme=theme
        ),
        lambda: patterns_table(panels, labels=page.texts_of_tokens),
        caption="figures.untrained.alone" if len(journey) == 1 else None,
        block=block, head=head, before=share(evenness(before)), after=share(evenness(after)),
    )  # fmt: skip


if alone:
    page.section("one_token")
else:
    followed = "answered" if asked == page.token else "moved"  # always a line: charts stay in place
    page.say(followed, last=page.token_html, token=ui.token(page.labels[asked]))
    losses = every_prefix()
    page.look_for(token=ui.token(page.labels[asked]), came=page.label(journey.token_ids[asked + 1]))
    backward(losses)
ui.part(live_training, live.PART)()
untrained()
ui.part(growing)(page)
if not alone:
    chance = float(losses.true_probability[asked])
    came = ui.latex(page.label(journey.token_ids[asked + 1]))
    page.formula(
        r"L = -\frac{1}{T-1} \sum_{t=0}^{T-2} \ln p_t(x_{t+1}) \qquad "
        r"\frac{\partial L_t}{\partial \ell_i} = p_t(i) - [\,i = x_{t+1}\,]",
        [
            (rf"p_{{{asked}}}({came})", f"= {chance:.4f}"),
            (rf"L_{{{asked}}}", rf"= -\ln {chance:.4f} = {losses.loss[asked]:.3f}"),
            (rf"\partial L_{{{asked}}} / \partial \ell_{{{came}}}",
             rf"= {chance:.4f} - 1 = {chance - 1:.4f}"),
            (rf"L, \; T = {len(journey)}", f"= {losses.mean_loss:.3f}"),
        ],
    )  # fmt: skip
page.source(
    loop.next_token_loss, loop.training_steps, parts.without_skips, gradients.backward_pass,
    tj.model.gpt2.GPT2, micro.micro_training,
)  # fmt: skip

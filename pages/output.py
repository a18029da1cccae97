"""Output: how scores become one choice."""

from tokenjourney import ui
from tokenjourney.analysis.attribution import logit_readout
from tokenjourney.analysis.lens import unembedded
from tokenjourney.analysis.output import draw_tally, position_predictions, sampled_choice
from tokenjourney.figures.output import output_figure, output_table
from tokenjourney.figures.predictions import predictions_figure, predictions_table
from tokenjourney.figures.readout import readout_figure, readout_table
from tokenjourney.figures.tally import tally_figure
from tokenjourney.figures.text import count, escaped, number, share
from tokenjourney.model import sampling
from tokenjourney.model.gpt2 import GPT2
from tokenjourney.ui.sampling import sampling_row

N_ROWS, N_DRAWS, N_TALLIED = 12, 100, 8

page = ui.open_page("output")
page.shapes("(T, d_model)", "(T, d_model)", "(T, d_vocab)")
journey, position, theme = page.journey, page.token, page.theme
logits = journey.logits_at(position)
predictions = journey.next_tokens(position=position, k=N_ROWS)
rows = [prediction.token_id for prediction in predictions]
row_labels = [page.label(token_id) for token_id in rows]


@ui.part
def choice() -> None:
    """Logits, temperature, cuts, probabilities, draw."""
    drawing = sampling_row(page)
    made = page.remember(
        f"choice {position} {drawing.settings}",
        lambda: sampled_choice(logits, position, **drawing.settings),
    )
    untouched = page.untouched.logits_at(position)
    before = sampled_choice(untouched, position, **drawing.settings) if page.off else None
    columns = {
        "logits": made.logits,
        "scaled": made.scaled,
        "probabilities": made.probabilities,
        "kept": made.kept,
        "renormalised": made.renormalised,
        "token_ids": rows,
        "labels": row_labels,
    }
    page.figure(
        "choice",
        lambda: output_figure(
            **columns,
            temperature=drawing.temperature,
            chosen=made.chosen,
            chosen_label=page.label(made.chosen),
            draw=made.point,
            seed=drawing.seed,
            entropies=made.entropies,
            before=before.probabilities if before else None,
            theme=theme,
        ),
        lambda: output_table(**columns),
        chosen=page.label(made.chosen),
        probability=share(made.renormalised[made.chosen]),
    )
    (n_by_k, by_k), (n_by_p, by_p) = made.removed_by_k, made.removed_by_p
    page.say(
        "removed",
        k=drawing.top_k or page.plain("all"),
        n_by_k=count(n_by_k),
        by_k=share(by_k),
        p=f"{drawing.top_p:g}" if drawing.top_p else "1",
        n_by_p=count(n_by_p),
        by_p=share(by_p),
        n_left=count(made.kept.sum()),
        d_vocab=count(page.model.config.d_vocab),
        left=share(1 - by_k - by_p),
    )
    page.look_for(
        token=page.token_html,
        greedy=ui.token(page.label(made.greedy), followed=False),
        chosen=ui.token(page.label(made.chosen)),
        seed=drawing.seed,
        before=number(made.entropies[0]),
        after=number(made.entropies[2]),
    )
    if page.off:
        page.say("rings", before=ui.token(page.label(before.greedy), followed=False))
    tally(drawing, made)
    page.formula(
        r"p_i = \frac{e^{\,\ell_i / \tau}}{\sum_{j=1}^{d_{vocab}} e^{\,\ell_j / \tau}}"
        r"\qquad H = -\sum_i p_i \log_2 p_i",
        [
            (r"\tau", f"= {drawing.temperature:g}"),
            *(
                (
                    rf"p({ui.latex(page.label(token_id))})",
                    rf"= {made.probabilities[token_id]:.4f}"
                    rf"\quad\text{{from }} \ell = {made.logits[token_id]:.2f}",
                )
                for token_id in rows[:3]
            ),
            ("H", f"= {made.entropies[1]:.2f}" + r"\text{ bits}"),
        ],
    )


def tally(drawing, made) -> None:
    """Greedy against sampling: the same choice a hundred times."""
    found = page.remember(
        f"tally {position} {drawing.settings}",
        lambda: draw_tally(made, position, drawing.seed, N_DRAWS),
    )
    page.section(
        "tally",
        n=N_DRAWS,
        greedy=ui.token(page.label(made.greedy), followed=False),
        first=drawing.seed,
        last=drawing.seed + N_DRAWS - 1,
    )
    shown = found.token_ids[:N_TALLIED]
    others = len(found.token_ids) - len(shown)
    page.figure(
        "tally",
        lambda: tally_figure(
            labels=[page.label(i) for i in shown],
            counts=found.counts[:N_TALLIED],
            expected=found.expected[:N_TALLIED],
            n_draws=N_DRAWS,
            chosen=shown.index(made.chosen) if made.chosen in shown else None,
            rest=(others, sum(found.counts[N_TALLIED:]), sum(found.expected[N_TALLIED:])),
            theme=theme,
        ),
        lambda: (
            ["token", "ID", "times drawn", "times to be expected"],
            list(
                zip(
                    map(page.label, found.token_ids),
                    found.token_ids,
                    found.counts,
                    found.expected,
                    strict=True,
                )
            ),
        ),
        seed=drawing.seed,
    )


@ui.part
def readout() -> None:
    """Final LayerNorm and unembedding, for one token of the vocabulary."""
    page.section("readout", d_vocab=f"{page.model.config.d_vocab:,}")
    options = {str(i): f"{label}  {i}" for i, label in zip(rows, row_labels, strict=True)}
    token_id = int(page.choose("word", page.plain("word"), options, as_list=True))
    found = logit_readout(page.model, journey, position, token_id)
    arrays = {
        "residual": found.residual,
        "normalised": found.normalised,
        "column": found.column,
        "products": found.products,
    }
    asked = page.label(token_id)
    residual, normalised, column = map(number, found.lengths)
    words = {
        "last": page.model.config.n_layers - 1,
        "word": asked,
        "residual": residual,
        "normalised": normalised,
        "column": column,
        "scale": number(found.scale),
        "logit": number(found.logit),
    }
    page.figure(
        "readout",
        lambda: readout_figure(
            **arrays,
            names=[escaped(page.plain(f"readout.{name}.name", **words)) for name in arrays],
            notes=[escaped(page.plain(f"readout.{name}.note", **words)) for name in arrays],
            theme=theme,
        ),
        lambda: readout_table(**arrays),
        **words,
    )


def every_position() -> None:
    """What each position predicted, and what really came."""

    def predicted(run):
        last = run[f"blocks.{page.model.config.n_layers - 1}.hook_resid_post"]
        return position_predictions(unembedded(page.model, last), run.token_ids)

    found = page.remember("positions", lambda: predicted(journey))
    before = page.remember("positions before", lambda: predicted(page.untouched))
    arguments = {
        "labels": page.texts_of_tokens,
        "guesses": [page.label(int(i)) for i in found.best],
        "guess_probabilities": found.best_probability,
        "true_probabilities": found.true_probability,
        "losses": found.loss,
    }
    page.section("positions")
    if len(journey) == 1:
        page.say("one_token")
    page.figure(
        "positions",
        lambda: predictions_figure(
            **arguments,
            true_before=before.true_probability if page.off else None,
            followed=position,
            theme=theme,
        ),
        lambda: predictions_table(**arguments),
        caption="figures.positions.caption" if len(journey) > 1 else "figures.positions.alone",
        mean=number(found.mean_loss),
        perplexity=number(found.perplexity, 1),
    )
    if page.off and len(journey) > 1:
        page.say("loss_before", now=number(found.mean_loss), before=number(before.mean_loss))


choice()
readout()
every_position()
page.source(GPT2.unembed, sampling.probabilities, sampling.kept, sampling.draw)

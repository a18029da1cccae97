"""Generation: one token after another."""

import tokenjourney as tj
from tokenjourney import ui
from tokenjourney.analysis.counts import cache_bytes, products_for
from tokenjourney.analysis.steps import (
    branch_rows,
    mean_loss,
    shares_before,
    step_candidates,
    steps_window,
    taken_shares,
)
from tokenjourney.figures.steps import StepColumn, steps_figure, steps_table
from tokenjourney.figures.text import count, number, share
from tokenjourney.figures.tree import TreeRow, tree_figure, tree_table
from tokenjourney.ui.generating import (
    MOST_BRANCHES,
    Continuation,
    branches,
    buttons,
    run,
    speeds,
)
from tokenjourney.ui.sampling import sampling_row

N_CANDIDATES, N_STEPS, N_TREE = 6, 8, 10

page = ui.open_page("generation")
page.shapes("(T)", "(T, d_vocab)", "(T + 1)")
config = page.model.config
made = Continuation(page)
sampling = sampling_row(page, again=False)
run(page, made, sampling, buttons(page, made))
journey = made.journey()
n_prompt, n_steps = len(page.journey), len(made.ids)
heat = sampling.temperature or 1.0


def column(step: int) -> StepColumn:
    """One step for the figure: its candidates, what was taken, what a click leads to."""
    found = step_candidates(journey, n_prompt, step, N_CANDIDATES, heat)
    inside = found.chosen in found.token_ids
    return StepColumn(
        step=step,
        labels=[page.label(i) for i in found.token_ids],
        shares=found.shares,
        chosen=None if found.chosen is None else found.chosen_rank if inside else N_CANDIDATES,
        chosen_label="" if found.chosen is None else page.label(found.chosen),
        chosen_share=found.chosen_share,
        chosen_rank=found.chosen_rank,
        clicks=[made.leads_to((*made.ids[:step], i)) for i in found.token_ids],
        before=shares_before(made.untouched(), n_prompt + step - 1, found.token_ids, heat)
        if page.off
        else None,
    )


def steps() -> None:
    """The candidates of each step, and the path through them."""
    page.section("steps", candidates=N_CANDIDATES)
    looked_at = n_steps
    if n_steps:
        looked_at = int(page.slider("at", page.plain("at"), 1, n_steps + 1, n_steps + 1)) - 1
    columns = [column(step) for step in steps_window(n_steps + 1, looked_at, N_STEPS)]
    page.figure(
        "steps",
        steps_figure(columns, places=N_STEPS, looked_at=looked_at, theme=page.theme),
        lambda: steps_table([column(step) for step in range(n_steps + 1)]),
        clicks=("go", "tree"),
        temperature=f"{heat:g}",
        first=columns[0].step + 1,
        last=columns[-1].step + 1,
        n=n_steps,
        rings=page.plain("words.rings") if page.off else "",
    )
    found = step_candidates(journey, n_prompt, looked_at, N_CANDIDATES, heat)
    branches(page, made, found)
    page.look_for(
        step=looked_at + 1,
        best=ui.token(page.label(found.token_ids[0]), followed=False),
        share=share(found.shares[0]),
        bits=number(found.entropy),
    )


def tree_rows() -> list[TreeRow]:
    """The branches as rows: the one that is open, then those that were left, the latest first."""
    rows = []
    for index, one in enumerate(branch_rows([made.ids, *reversed(made.others)])):
        shares = page.remember(
            f"shares {one.path}", lambda path=one.path: taken_shares(made.journey(path), n_prompt)
        )
        rows.append(
            TreeRow(
                name=page.plain("words.branch", n=index) if index else page.plain("words.open"),
                labels=[page.label(i) for i in one.path], shares=shares, start=one.start,
                parent=one.parent, loss=mean_loss(shares), click=made.leads_to(one.path),
            )
        )  # fmt: skip
    return rows


def tree() -> None:
    """Every branch that was tried."""
    page.section("tree", most=MOST_BRANCHES)
    if not made.others:
        page.say("words.no_branches")
        return
    rows = tree_rows()
    longest = max(len(row.labels) for row in rows)
    first = min(row.start for row in rows[1:])
    shown = steps_window(longest, min(first + N_TREE // 2 - 1, longest), N_TREE)
    page.figure(
        "tree",
        tree_figure(rows, steps=shown, theme=page.theme),
        lambda: tree_table(rows),
        clicks=("go", "tree"), first=shown.start + 1, last=shown.stop, n=longest,
        branches=len(rows),
    )  # fmt: skip


def text_again() -> None:
    """Tokens back to text."""
    page.section("text")
    ids = journey.token_ids
    page.show(ui.markup("{text}", text=journey.text), "tj-text")
    page.say("ids", n=count(len(ids)), ids=" ".join(map(str, ids[-60:])),
             dots="… " if len(ids) > 60 else "")  # fmt: skip


@ui.part
def speed() -> None:
    """What the KV cache saves, measured on this machine now."""
    page.section("speed")
    speeds(page, journey.token_ids)
    now = len(journey)
    with_cache, without = products_for(config, 1, now), products_for(config, now + 1)
    page.say(
        "work",
        n=count(now + 1),
        cached=count(with_cache),
        uncached=count(without),
        times=number(without / with_cache, 1),
        kilobytes=count(cache_bytes(config, now + 1) / 1000),
    )


steps()
tree()
text_again()
speed()
page.formula(
    r"t_{T+1} \sim \operatorname{softmax}\!\left(\tfrac{\text{logits}(t_1 \dots t_T)}{\tau}\right)"
    r"\text{, cut by top-}k\text{ and top-}p;\qquad"
    r"\text{cache} = 2 \cdot n_{layers} \cdot n_{heads} \cdot d_{head} \cdot T \cdot 4"
    r"\text{ bytes}",
    [
        ("T", f"= {len(journey)}"),
        (r"\tau", f"= {sampling.temperature:g}"),
        (
            r"\text{cache}",
            rf"= 2 \cdot {config.n_layers} \cdot {config.n_heads} \cdot {config.d_head} \cdot "
            rf"{len(journey)} \cdot 4 = \text{{{count(cache_bytes(config, len(journey)))} bytes}}",
        ),
    ],
)
page.source(tj.generation.choose, tj.generate, tj.Journey.extend)

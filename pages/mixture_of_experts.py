"""Mixture of experts: which of many small feed-forward parts each token goes through."""

from tokenjourney import ui
from tokenjourney.analysis.beyond import DEEPSEEK_V3
from tokenjourney.analysis.experts import router_choice, shared_lengths
from tokenjourney.analysis.parameters import beyond_parameters
from tokenjourney.beyond import moe
from tokenjourney.beyond.network import active_parameters
from tokenjourney.figures.bars import bars_figure
from tokenjourney.figures.experts import bulbs_figure, bulbs_table, loads_figure
from tokenjourney.figures.text import count, number, share
from tokenjourney.training.balance import Balance
from tokenjourney.ui import small as smalls

page = ui.open_page("mixture_of_experts")
name = page.choose("experts_of", page.plain("words.model"), page.text_table("models"))
small = smalls.small(page, name)
journey, config, token = small.journey, small.model.config, small.token
followed = ui.token(small.labels[token])
page.say("said.cut" if small.cut else "said.own", n=config.n_ctx)
blocks = range(config.n_layers)
gates = [journey["gates", index] for index in blocks]
shared = shared_lengths(journey)
survey = smalls.survey(name)


@ui.part
def of_a_block() -> None:
    """Everything that is about one block: the bulbs, the router, loads, favourites."""
    block = int(page.choose("mblock", page.plain("words.block"), [str(index) for index in blocks]))
    page.figure(
        "bulbs",
        lambda: bulbs_figure(gates=gates, shared=shared, labels=small.labels, followed=token,
                             block=block, theme=page.theme),
        lambda: bulbs_table(gates=gates, labels=small.labels),
        clicks=small.clicks, of="model", k=config.top_k, n=config.n_experts,
        some=smalls.drawn(page, small),
    )  # fmt: skip
    page.look_for(token=followed)
    left, right = page.columns(2)
    with left:
        router(block)
    with right:
        loads(block)
    favourites(block)


def router(block: int) -> None:
    """The affinities of the followed token, and who was chosen."""
    page.section("router", block=block, token=followed)
    choice = router_choice(
        journey["router_scores", block][token], gates[block][token],
        small.model.network.blocks[block].mlp.router.bias, config.n_groups,
    )  # fmt: skip
    page.figure(
        "router",
        lambda: bars_figure(
            labels=[page.plain("words.expert", e=row.expert) for row in choice],
            values=[row.affinity for row in choice], axis=page.plain("words.affinity"),
            texts=[page.plain("words.gate", gate=number(row.gate)) if row.gate else
                   number(row.affinity) for row in choice],
            hovers=[page.plain("words.row", e=row.expert, group=row.group,
                               affinity=number(row.affinity, 3), bias=number(row.bias, 3),
                               gate=number(row.gate, 3)) for row in choice],
            highlight=[row.expert for row in choice if row.gate], limit=1.0, theme=page.theme,
        ),
        lambda: (["expert", "group", "affinity", "bias", "gate"],
                 [(row.expert, row.group, row.affinity, row.bias, row.gate) for row in choice]),
        of="model", token=followed, groups=config.n_groups, top=config.top_groups,
        k=config.top_k,
    )  # fmt: skip


def loads(block: int) -> None:
    """How many tokens of the held-out stories each expert gets, with the bias and without."""
    page.section("loads", block=block, n=count(survey.n_tokens))
    balanced, unbiased = survey.shares(block)
    page.figure(
        "loads",
        lambda: loads_figure(balanced=balanced, unbalanced=unbiased,
                             axis=page.plain("words.load"), theme=page.theme),
        lambda: (["expert", "load with the bias", "without"],
                 [(e, float(balanced[e]), float(unbiased[e])) for e in range(config.n_experts)]),
        of="model", most=number(float(max(balanced))), without=number(float(max(unbiased))),
    )  # fmt: skip


def favourites(block: int) -> None:
    """The tokens that each expert gets most."""
    page.section("favourites", block=block)
    heads = page.text_table("favourite_heads")
    page.picture(
        "favourites",
        smalls.favourites(survey, block, small.model, tuple(heads.values())),
        lambda: (
            ["block", "expert", "token", "times", "share of the token’s choices"],
            [(block, expert, small.model.tokenizer.visible(i), n, part)
             for expert, tokens in enumerate(survey.top[block]) for i, n, part in tokens],
        ),
    )  # fmt: skip


def information() -> None:
    """What a token tells about its expert, against shuffled tokens."""
    page.section("information")
    page.figure(
        "information",
        lambda: bars_figure(
            labels=[page.plain("words.of_block", block=index) for index in blocks],
            values=survey.information, marks=survey.shuffled, axis=page.plain("words.bits"),
            texts=[page.plain("words.against", bits=number(float(a)), chance=number(float(b)))
                   for a, b in zip(survey.information, survey.shuffled, strict=True)],
            limit=float(survey.entropy.max()), theme=page.theme,
        ),
        lambda: (["block", "bits", "shuffled", "at most"],
                 [(index, float(survey.information[index]), float(survey.shuffled[index]),
                   float(survey.entropy[index])) for index in blocks]),
        of="model", most=number(float(survey.entropy.max())),
    )  # fmt: skip


of_a_block()
information()
page.section("compared")
page.picture("compared", smalls.table_html(smalls.comparison()), smalls.comparison)

total, active = (sum(beyond_parameters(DEEPSEEK_V3, active=a).values()) for a in (False, True))
here = small.model.n_parameters
met = page.remember(f"met {name}", lambda: active_parameters(small.model.network), of="model")
page.say("large", here=count(here), met=count(met), met_share=share(met / here),
         total=count(total), active=count(active), share=share(active / total))  # fmt: skip
page.formula(
    r"h' = u + \sum_{i=1}^{N_s} \operatorname{FFN}^{(s)}_i(u) + \sum_{i=1}^{N_r} g_i "
    r"\operatorname{FFN}^{(r)}_i(u), \qquad s_i = \sigma(u^\top e_i), \qquad "
    r"g_i = \frac{s_i}{\sum_{j \in \text{top } K_r} s_j} \text{ if } s_i + b_i "
    r"\text{ is among the top } K_r, \text{ else } 0",
    [
        (r"N_s,\ N_r,\ K_r", rf"= {config.n_shared},\ {config.n_experts},\ {config.top_k}"),
        (r"\text{this model}", rf"{count(here)} \text{{ parameters, }} "
         rf"{count(met)} \text{{ of them met by a token}}"),
        (r"\text{DeepSeek-V3}", rf"{count(total)} \text{{ parameters, }} "
         rf"{count(active)} \text{{ of them met by a token}}"),
    ],
)  # fmt: skip
page.source(moe.Router, moe.MixtureOfExperts, Balance)

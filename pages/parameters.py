"""Parameters: where a model's numbers are, how many they are, and what they cost."""

from tokenjourney import ui
from tokenjourney.analysis import parameters as counted
from tokenjourney.figures.bars import bars_figure
from tokenjourney.figures.parameters import (
    family_figure,
    family_table,
    short_count,
    values_figure,
)
from tokenjourney.figures.text import count, count_unit, memory, number
from tokenjourney.figures.treemap import Tile, treemap_figure
from tokenjourney.model.config import GPT2Config

LAYERS = (1, 2, 4, 6, 8, 12, 16, 24, 36, 48, 64, 96, 128)
WIDTHS = (64, 128, 192, 256, 384, 512, 768, 1024, 1280, 1600, 2048, 4096, 8192, 12288, 16384)
HEADS = (1, 2, 4, 6, 8, 12, 16, 20, 24, 25, 32, 64, 96, 128)
VOCABULARIES = (256, 1024, 2048, 8192, 32000, 50257, 100000, 129280, 200000)

page = ui.open_page("parameters")
page.shapes("(d_vocab, d_model)", "n_layers blocks", "(d_model, d_vocab)")
model, config, journey = page.model, page.model.config, page.journey
tensors = counted.tensors_of(model)
names = [tensor.name for tensor in tensors]
kinds, whats = page.text_table("parts"), page.text_table("tensors")
total = model.n_parameters
is_gpt2 = type(config) is GPT2Config


def what(name: str) -> str:
    """What a tensor is for, in a few words."""
    return next((said for end, said in whats.items() if name.endswith(end)), "")


def tensor_name(text: str) -> str:
    """The tensor that the link names."""
    if text not in names:
        raise ValueError("This model has no tensor of that name.")
    return text


def tile(tensor: counted.TensorInfo) -> Tile:
    """One tensor for the treemap."""
    own = tensor.name.split(".", 2)[-1] if tensor.block is not None else tensor.name
    shape = " × ".join(map(count, tensor.shape))
    return Tile(
        name=tensor.name,
        label=("" if tensor.block is None else f"B{tensor.block} ") + own.removesuffix(".weight"),
        size=tensor.n,
        kind=counted.PARTS.index(tensor.part),
        group=tensor.name if tensor.block is None else f"block {tensor.block}",
        said=f"{shape}  {what(tensor.name)}",
    )


def treemap(chosen: str) -> None:
    """Every tensor as an area, and the rows of the embedding that this prompt reads."""
    followed = journey.token_ids[page.token]
    used = sorted(set(journey.token_ids))
    rows = [(page.label(i), (i + 0.5) / config.d_vocab, i == followed) for i in used[:200]]
    page.section("treemap", n=count(len(tensors)), total=count(total))
    page.figure(
        "treemap",
        lambda: treemap_figure(
            [tile(tensor) for tensor in tensors], kinds=list(kinds.values()), chosen=chosen,
            rows=rows, rows_of="W_E", theme=page.theme,
        ),
        lambda: (
            ["tensor", "what for", "shape", "numbers", "share of all"],
            [(t.name, what(t.name), " × ".join(map(count, t.shape)), t.n, t.n / total)
             for t in tensors],
        ),
        clicks="tensor", rows=count(len(used)), d_vocab=count(config.d_vocab),
        token=page.token_html,
    )  # fmt: skip
    page.say("tied" if config.tied else "untied", total=count(total), name=model.name)
    if is_gpt2:
        page.say("by_formula", n=count(sum(counted.gpt2_parameters(config).values())))


def one_tensor(chosen: str) -> None:
    """The numbers of the chosen tensor."""
    tensor = tensors[names.index(chosen)]
    found = page.remember(
        f"values {chosen}", lambda: counted.values_of(model.parameter(chosen)), of="model"
    )
    page.section("tensor", name=chosen, what=what(chosen))
    page.choose("tensor", page.plain("tensor_label"), names, names[0], as_list=True)
    page.figure(
        "values",
        lambda: values_figure(
            edges=found.edges, counts=found.counts, mean=found.mean, theme=page.theme
        ),
        lambda: (
            ["from", "to", "numbers"],
            [(float(a), float(b), int(n))
             for a, b, n in zip(found.edges, found.edges[1:], found.counts, strict=False)],
        ),
        shape=" × ".join(map(count, tensor.shape)), n=count(tensor.n),
        deviation=number(found.deviation, 4), low=number(found.low, 3), high=number(found.high, 3),
    )  # fmt: skip


def work() -> None:
    """What the followed token costs in operations."""
    page.section("work", token=page.token_html, position=count(page.token))
    if not is_gpt2:
        page.say("no_formula")
        return
    spent = counted.work_per_token(config, page.token)
    words, (unit, size) = page.text_table("work"), count_unit(max(spent.values()))
    page.figure(
        "work",
        lambda: bars_figure(
            labels=[words[part] for part in spent], values=[n / size for n in spent.values()],
            texts=[short_count(n) for n in spent.values()],
            hovers=[f"{words[part]}: {count(n)} operations" for part, n in spent.items()],
            strong=[list(spent).index("looking")], axis=page.plain("work_axis", unit=unit),
            theme=page.theme,
        ),
        lambda: (["part", "operations"], [(words[part], n) for part, n in spent.items()]),
        all=short_count(sum(spent.values())), per=number(sum(spent.values()) / total),
        token=page.token_html,
    )  # fmt: skip


def family() -> None:
    """The loaded model among its relatives."""
    page.section("family")
    here = (page.plain("loaded"), counted.by_part(tensors), counted.active_of(model))
    rows = [here, *((one.name, one.parts, one.active) for one in counted.family())]
    page.figure(
        "family",
        lambda: family_figure(rows, kinds=kinds, strong=(0,), theme=page.theme),
        lambda: family_table(rows, kinds),
    )


@ui.part
def design() -> None:
    """Sizes to choose, and what comes of them."""
    page.section("design")
    sizes = page.text_table("sizes")
    left, right = page.columns([1, 1.5])
    with left:
        d_model = page.size("d_model", sizes["d_model"], WIDTHS, config.d_model)
        n_layers = page.size("n_layers", sizes["n_layers"], LAYERS, config.n_layers)
        fitting = [n for n in (*HEADS, config.n_heads) if d_model % n == 0]
        usual = max(n for n in fitting if n <= max(1, d_model // 64))
        n_heads = page.size("n_heads", sizes["n_heads"], fitting,
                            config.n_heads if d_model == config.d_model else usual)  # fmt: skip
        d_vocab = page.size("d_vocab", sizes["d_vocab"], VOCABULARIES, config.d_vocab)
    own = GPT2Config(n_layers, n_heads, d_model, d_vocab, config.n_ctx)
    parts = counted.gpt2_parameters(own)
    n = sum(parts.values())
    unit, size = count_unit(max(parts.values()))
    spent = sum(counted.work_per_token(own, own.n_ctx - 1).values())
    with right:
        page.show(
            page.text(
                "design_sum", n=short_count(n), exactly=count(n), flops=short_count(spent),
                n_ctx=count(own.n_ctx), d_head=count(own.d_head),
                **{name: memory(n * each) for name, each in counted.BYTES_EACH.items()},
            ),
            "tj-sum",
        )  # fmt: skip
        page.figure(
            "design",
            lambda: bars_figure(
                labels=[kinds[part] for part in parts], values=[n / size for n in parts.values()],
                texts=[short_count(n) for n in parts.values()], theme=page.theme,
                axis=page.plain("design_axis", unit=unit),
            ),
            lambda: (["part", "numbers"], [(kinds[part], n) for part, n in parts.items()]),
        )  # fmt: skip


chosen, _ = page.extra("tensor", names[0], tensor_name)
treemap(chosen)
page.look_for("look_for" if is_gpt2 else "look_for_other")
left, right = page.columns(2)
with left:
    one_tensor(chosen)
with right:
    work()
family()
design()
if is_gpt2:
    d, m = config.d_model, config.d_mlp
    page.formula(
        r"N = d_{vocab}\, d + n_{ctx}\, d + n_{layers}\,("
        r"\underbrace{4 d^2 + 4 d}_{\text{attention}} + "
        r"\underbrace{2\, d\, d_{mlp} + d_{mlp} + d}_{\text{feed-forward}}"
        r" + \underbrace{4 d}_{\text{norms}}) + 2 d, \qquad d = d_{model}",
        [
            (r"d_{vocab}\, d", rf"= {config.d_vocab:,} \cdot {d:,} = {config.d_vocab * d:,}"),
            (r"n_{ctx}\, d", rf"= {config.n_ctx:,} \cdot {d:,} = {config.n_ctx * d:,}"),
            (r"\text{one block}", rf"= {4 * d * d + 4 * d:,} + {2 * d * m + m + d:,} + {4 * d:,}"),
            ("N", rf"= {sum(counted.gpt2_parameters(config).values()):,}"),
        ],
        title=page.plain("formula_title"),
    )
page.source(counted.gpt2_parameters, counted.beyond_parameters, counted.work_per_token,
            title=page.plain("source_title"))  # fmt: skip

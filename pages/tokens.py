"""Tokens: how a text becomes IDs, and IDs a text."""

import tokenjourney as tj
from tokenjourney import ui
from tokenjourney.analysis.tokens import first_of_each_kind, text_counts
from tokenjourney.bpe import regex_split, replay
from tokenjourney.figures.tokens import counts_figure, counts_table
from tokenjourney.ui.token_pictures import ladder_picture, pieces_picture, tokens_row

page = ui.open_page("tokens")
tokenizer, journey = page.model.tokenizer, page.journey
page.shapes("text", "(T)")

if tokenizer is None:
    page.say("without_tokenizer", reason=page.model.tokenizer_problem)
    page.stop()

tokens, texts = journey.tokens, page.texts_of_tokens
pieces = page.remember("pieces", lambda: tokenizer.merges(journey.text))
followed = tokens[page.token]
piece = next(p for p in pieces if p.start <= followed.start < p.end)
kinds, kind = page.text_table("kinds"), page.text_table("kind")

page.section("pieces", n=f"{len(pieces):,}", T=f"{len(tokens):,}")
page.picture(
    "pieces",
    page.shared("cards", lambda: pieces_picture(pieces, tokens, texts, page.token)),
    lambda: (
        ["position", "token", "ID", "bytes", "first character", "last character", "kind"],
        [
            (i, text, t.id, t.bytes.hex(" "), t.start, t.end - 1, kind[tokenizer.kind(t.id)])
            for i, (t, text) in enumerate(zip(tokens, texts, strict=True))
        ],
    ),
)
page.look_for(token=page.token_html)


@ui.part
def merges() -> None:
    """The merges of the piece that the followed token is part of, one by one."""
    steps = piece.steps
    last = len(steps) - 1
    page.section("merges", piece=ui.token(tj.tokenizer.visible(piece.text.encode("utf-8"))))
    step = last
    if last > 0:
        step = page.slider("step", page.plain("merges_slider"), 0, last, last)
    page.picture(
        "merges",
        ladder_picture(steps, step, piece.token_ids),
        lambda: (
            ["merge", "left", "right", "rank", "parts"],
            [
                (
                    i,
                    *(map(tj.tokenizer.visible, one.pair) if one.pair else ("", "")),
                    one.rank,
                    " ".join(map(tj.tokenizer.visible, one.parts)),
                )
                for i, one in enumerate(steps)
            ],
        ),
    )


@ui.part
def vocabulary() -> None:
    """Finding tokens in the vocabulary."""
    page.section("search", d_vocab=f"{page.model.config.d_vocab:,}")
    usual = str(followed.id) if "\ufffd" in followed.text else followed.text.strip()
    query = page.entry("find", page.plain("search_label"), usual or followed.text)
    found = page.remember(f"found {query}", lambda: tokenizer.search(query, limit=60), of="model")
    page.show(
        tokens_row([(page.label(i), i, kind[tokenizer.kind(i)]) for i in found])
        if found
        else page.text("search_nothing", query=query)
    )


@ui.part
def back() -> None:
    """IDs to text."""
    page.section("back")
    typed = page.entry("ids", page.plain("back_label"), " ".join(map(str, journey.token_ids)))
    try:
        ids = [int(part) for part in typed.replace(",", " ").split()]
        page.show(ui.markup("{text}", text=tokenizer.decode(ids)), "tj-text")
        page.show(tokens_row([(page.label(i), i, kind[tokenizer.kind(i)]) for i in ids[:60]]))
        if len(ids) > 60:
            page.say("back_many", n=60, all=f"{len(ids):,}")
    except ValueError:
        ui.refuse(tj.PromptError(page.plain("back_wrong", typed=typed[:80])))
    except tj.TokenJourneyError as error:
        ui.refuse(error)


merges()

left, right = page.columns(2)
with left:
    counts = text_counts(journey.text, len(tokens))
    units = page.text_table("units")
    numbers = [counts.characters, counts.n_bytes, counts.words, counts.tokens]
    page.section("counts")
    page.figure(
        "counts",
        lambda: counts_figure(list(units.values()), numbers, axis=page.plain("counts_axis"),
                              strong=3, theme=page.theme),
        lambda: (["unit", "count"], list(zip(units.values(), numbers, strict=True))),
        ratio=f"{counts.characters_per_token:.1f}",
    )  # fmt: skip
with right:
    made_of = page.remember("kinds", tokenizer.kinds, of="model")
    first = page.remember(
        "first", lambda: first_of_each_kind(tokenizer.kind, range(tokenizer.n_vocab)), of="model"
    )
    present = {kinds[name]: n for name, n in made_of.items() if n}
    examples = [
        " ".join(page.label(i) for i in first[name][:4]) for name, n in made_of.items() if n
    ]
    page.section("kinds", d_vocab=f"{page.model.config.d_vocab:,}")
    page.figure(
        "kinds",
        lambda: counts_figure(list(present), list(present.values()), examples,
                              axis=page.plain("kinds_axis"), theme=page.theme),
        lambda: counts_table(list(present), list(present.values()), "kind"),
    )  # fmt: skip

vocabulary()
back()

page.formula(
    r"(a, b)^{*} = \operatorname*{arg\,min}_{(a,\,b)\ \text{neighbours}} \operatorname{rank}(ab)",
    [
        (
            rf"{ui.latex(tj.tokenizer.visible(one.pair[0]))} + "
            rf"{ui.latex(tj.tokenizer.visible(one.pair[1]))}",
            rf"\operatorname{{rank}} = {one.rank}",
        )
        for one in piece.steps[1:13]
        if one.pair
    ],
)
page.source(regex_split, replay, tj.Tokenizer.encode)

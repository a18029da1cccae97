import numpy as np
import pytest

from tokenjourney.figures.output import output_figure, output_table
from tokenjourney.figures.theme import LIGHT, FigureError

LABELS = ["·girl", "·boy", "<b>", "·dog"]


def choice(vocabulary: int = 300, temperature: float = 1.3, stay: int = 20, **changes):
    logits = np.random.default_rng(5).normal(size=vocabulary).astype(np.float32) * 3
    powers = np.exp(logits / temperature)
    probabilities = powers / powers.sum()
    order = np.argsort(-logits)
    kept = np.zeros(vocabulary, dtype=bool)
    kept[order[:stay]] = True
    renormalised = np.where(kept, probabilities, 0)
    return {
        "logits": logits,
        "scaled": logits / temperature,
        "probabilities": probabilities,
        "kept": kept,
        "renormalised": renormalised / renormalised.sum(),
        "token_ids": order[:4].tolist(),
        "labels": LABELS,
    } | changes


def figure(chosen_rank: int = 1, **changes):
    given = choice(**{k: v for k, v in changes.items() if k in ("vocabulary", "stay")})
    rest = {k: v for k, v in changes.items() if k not in ("vocabulary", "stay")}
    chosen = int(np.argsort(-given["logits"])[chosen_rank])
    extra = {"temperature": 1.3, "chosen": chosen, "chosen_label": "·boy", "draw": 0.4, "seed": 7}
    return output_figure(**given | extra | rest)


def trace(fig, name):
    return next(t for t in fig.data if t.name == name)


def said(fig):
    return [note.text for note in fig.layout.annotations]


def values_at(fig, name, start, end):
    """The values of a trace, read off the ticks of the column between these edges."""
    ticks = [n for n in fig.layout.annotations
             if n.yref == "y" and n.yanchor == "top" and start <= n.x <= end]  # fmt: skip
    numbers = [float(n.text.replace("−", "-").replace(",", "")) for n in ticks]
    slope, offset = np.polyfit([n.x for n in ticks], numbers, 1)
    return slope * np.asarray(trace(fig, name).x, float) + offset


def test_every_row_shows_the_same_token_in_all_columns():
    given = choice()
    fig, ids = figure(), given["token_ids"]
    for name, values, *edges in (
        ("logit", given["logits"], 0, 0.19),
        ("logit ÷ temperature", given["scaled"], 0.2, 0.4),
    ):
        np.testing.assert_allclose(values_at(fig, name, *edges), values[ids], atol=1e-3)
        assert trace(fig, name).hovertext[1] == f"“·boy”: {name} {values[ids[1]]:.2f}"
    for name, values in (("kept", "probabilities"), ("probabilities", "renormalised")):
        bars = trace(fig, name).x[:4]
        expected = given[values][ids] / given[values][ids[0]]
        np.testing.assert_allclose(bars / bars[0], expected, rtol=1e-5)


def test_the_whole_vocabulary_stands_above():
    texts = trace(figure(), "vocabulary by logit").text
    assert sum(int(text.partition(" ")[0]) for text in texts) == 300
    assert "all<br>300" in said(figure())


def test_a_row_says_its_share_wherever_one_points_at_it():
    given = choice()
    spoken = trace(figure(), "said of the shares")
    best = given["probabilities"][given["token_ids"][0]]
    assert spoken.text[0] == f"“·girl”: {100 * best:.0f} %"
    assert set(np.asarray(spoken.y)) == {0, 1, 2, 3, 4}
    assert spoken.text[-1].startswith("All the others: ")


def test_what_is_kept_and_what_is_removed_share_the_mass():
    given, fig = choice(), figure()
    kept, removed = (sum(trace(fig, name).x) for name in ("kept", "removed"))
    expected = given["probabilities"][~given["kept"]].sum()
    assert removed / (kept + removed) == pytest.approx(expected, abs=1e-5)


def test_the_removed_mass_is_hatched_and_written_with_its_count():
    given = choice()
    removed = 100 * given["probabilities"][~given["kept"]].sum()
    note = next(n for n in figure().layout.annotations if n.name == "removed")
    assert note.text == f"<b>removed {removed:.0f} %</b><br>280 tokens"
    assert trace(figure(), "removed").marker.pattern.shape == "/"


def test_nothing_is_hatched_where_nothing_is_removed():
    fig = figure(stay=300)
    assert not [n for n in fig.layout.annotations if n.name == "removed"]
    assert not [t for t in fig.data if t.name == "excluded"]


@pytest.mark.parametrize(("vocabulary", "stay"), [(300, 20), (300, 300), (4000, 4000)])
def test_the_column_of_the_choice_is_filled_without_a_gap(vocabulary, stay):
    column = trace(figure(vocabulary=vocabulary, stay=stay), "choice")
    base, heights = np.asarray(column.base, float), np.asarray(column.y, float)
    np.testing.assert_allclose(base[1:], (base + heights)[:-1], atol=1e-6)
    assert base[0] == -0.5
    assert base[-1] + heights[-1] == pytest.approx(4.5, abs=1e-4)


@pytest.mark.parametrize("rank", [0, 1, 3, 12, 200])
def test_only_the_chosen_token_has_the_accent(rank):
    fig = figure(chosen_rank=rank, stay=300)
    given = choice(stay=300)
    column = trace(fig, "choice")
    (index,) = [i for i, c in enumerate(column.marker.color) if c == LIGHT.accent]
    expected = given["renormalised"][np.argsort(-given["logits"])[rank]] * 5
    assert column.y[index] == pytest.approx(expected, rel=1e-4)
    dots = list(trace(fig, "logit").marker.color)
    assert [i for i, c in enumerate(dots) if c == LIGHT.accent] == ([rank] if rank < 4 else [])


def test_the_draw_is_an_arrow_at_its_height():
    arrow = next(n for n in figure(draw=0.4).layout.annotations if n.name == "draw")
    assert arrow.text == "◀ <b>0.400</b>"
    assert arrow.y == pytest.approx(0.4 * 5 - 0.5)
    assert "seed 7 draws 0.400" in said(figure(draw=0.4))


def test_temperature_zero_needs_no_scaled_scores():
    fig = figure(scaled=None, temperature=0.0)
    assert "0: greedy" in said(fig)
    assert any("temperature 0" in text for text in said(fig))


def test_temperature_says_what_it_does():
    assert "÷ 1.3: closer together" in said(figure())
    assert "÷ 0.5: further apart" in said(figure(temperature=0.5))


def test_a_tag_in_the_vocabulary_is_shown_as_text():
    assert "&lt;b&gt;" in figure().to_json()
    assert "“<b>”" not in figure().to_json()


def test_ids_outside_the_vocabulary_are_refused():
    with pytest.raises(FigureError, match="0 to 299"):
        output_figure(**choice(token_ids=[1, 2, 3, 300]))
    with pytest.raises(FigureError, match="equally long"):
        output_figure(**choice(labels=["one"]))
    with pytest.raises(FigureError, match="equally long"):
        output_figure(**choice(kept=np.ones(3, dtype=bool)))


def test_the_table_repeats_the_rows():
    given = choice()
    columns, rows = output_table(**given)
    assert columns[:3] == ["rank", "token", "ID"]
    assert [row[1] for row in rows] == LABELS
    assert [row[2] for row in rows] == given["token_ids"]

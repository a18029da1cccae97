"""Pictures of many heads, of one head's lines, and of a change, hold the numbers they are given."""

import base64
import struct

import numpy as np
import pytest

from tokenjourney.figures.change import change_figure, change_table
from tokenjourney.figures.head_lines import DRAWN_FROM, head_lines_figure
from tokenjourney.figures.heads import head_sentence, heads_figure, heads_table, tiled
from tokenjourney.figures.png import EMPTY
from tokenjourney.figures.theme import DARK, LIGHT, FigureError


def patterns(*shape):
    scores = np.random.default_rng(0).normal(size=shape)
    scores = np.where(np.tri(shape[-1], dtype=bool), scores, -np.inf)
    powers = np.exp(scores)
    return (powers / powers.sum(-1, keepdims=True)).astype(np.float32)


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def kinds(blocks, heads, **special):
    found = [[""] * heads for _ in range(blocks)]
    for place, kind in special.items():
        block, head = (int(n) for n in place[1:].split("_"))
        found[block][head] = kind
    return found


def test_every_head_can_be_hovered_and_clicked_where_its_tile_is():
    figure = heads_figure(patterns=patterns(3, 2, 5, 5), chosen=(1, 0), kinds=kinds(3, 2))
    cells = named(figure, "heads")
    places = {(int(x), int(y)) for x, y in zip(cells.x, cells.y, strict=True)}
    assert places == {(head, block) for block in range(3) for head in range(2)}
    assert len(figure.layout.images) == 1
    outline = figure.layout.shapes[-1]
    assert (outline.x0 + outline.x1) / 2 == pytest.approx(0)
    assert (outline.y0 + outline.y1) / 2 == pytest.approx(1)


def test_a_tile_shows_its_own_pattern():
    values = np.zeros((2, 2, 2, 2), np.float32)
    values[1, 0, 1, 1] = 1.0
    picture = tiled(values)
    side = 84
    gap = (picture.shape[0] - 2 * side) // 2
    tile = picture[side + gap : 2 * side + gap, :side]
    assert tile[-1, -1] == 254
    assert tile[0, 0] == 0
    assert (picture[:side, :side] == 0).all()
    assert (picture[side : side + gap] == EMPTY).all()


def test_a_head_that_is_off_is_faded_and_crossed_and_has_no_letter():
    values = patterns(2, 2, 4, 4)
    figure = heads_figure(
        patterns=values, chosen=(0, 0), kinds=kinds(2, 2, h0_1="previous", h1_1="first"),
        off={(1, 1)},
    )  # fmt: skip
    crosses = named(figure, "switched off")
    assert (list(crosses.x), list(crosses.y)) == ([1], [1])
    letters = named(figure, "what they do")
    assert list(letters.text) == ["<b>P</b>"]
    assert tiled(values, {(1, 1)})[-20, -20] < tiled(values)[-20, -20]


def test_large_models_stay_small_pictures():
    figure = heads_figure(patterns=patterns(48, 25, 48, 48), chosen=(0, 0), kinds=kinds(48, 25))
    source = figure.layout.images[0].source
    assert len(source) < 6_000_000
    width, height = struct.unpack(">II", base64.b64decode(source.split(",")[1])[16:24])
    assert width * height < 6_000_000


def test_patterns_of_another_shape_are_refused():
    with pytest.raises(FigureError, match="n_layers"):
        heads_figure(patterns=np.zeros((2, 3, 4)), chosen=(0, 0), kinds=kinds(2, 3))


def test_the_table_of_heads_has_every_score_and_leaves_out_what_has_no_occasion():
    scores = np.full((2, 1, 2), np.nan)
    scores[0] = [[0.7, 0.1]]
    columns, rows = heads_table(
        names=["previous token", "induction"], scores=scores, kinds=kinds(1, 2, h0_0="previous"),
        off={(0, 1)},
    )  # fmt: skip
    assert columns == ["block", "head", "previous token", "induction", "called", "off"]
    assert rows[0] == (0, 0, pytest.approx(0.7), None, "previous", False)
    assert rows[1][-1] is True


def test_the_sentence_of_a_head_names_its_scores():
    said = head_sentence(1, 2, [("first token", 0.25)], True)
    assert said == "block 1, head 2: first token 0.25. Switched off. Click to open."


def test_lines_run_from_each_query_to_the_keys_it_looks_at():
    pattern = patterns(6, 6)
    figure = head_lines_figure(pattern=pattern, labels=list("abcdef"), followed=4)
    drawn = int((pattern >= DRAWN_FROM).sum())
    mine = int((pattern[4] >= DRAWN_FROM).sum())
    gaps = {"followed token": 0, "other tokens": 0}
    for trace in figure.data:
        if trace.name in gaps:
            gaps[trace.name] += int(np.isnan(np.asarray(trace.x, float)).sum())
    assert gaps == {"followed token": mine, "other tokens": drawn - mine}


def test_wider_lines_are_larger_shares():
    pattern = np.array([[1, 0, 0], [0.9, 0.1, 0], [0.3, 0.3, 0.4]], np.float32)
    figure = head_lines_figure(pattern=pattern, labels=list("abc"), followed=1)
    widths = [trace.line.width for trace in figure.data if trace.name == "followed token"]
    assert len(widths) == 2
    assert widths[1] > 3 * widths[0]


def test_a_click_on_a_line_or_token_follows_its_query():
    figure = head_lines_figure(pattern=patterns(4, 4), labels=list("abcd"), followed=0)
    targets = named(figure, "tokens")
    for x, y, custom in zip(targets.x, targets.y, targets.customdata, strict=True):
        if x == 0:
            assert int(custom[0]) == y
    assert "“d” looks most at" in targets.hovertext[-1]


def test_above_sixty_tokens_the_lines_show_a_window_and_say_so():
    figure = head_lines_figure(pattern=patterns(80, 80), labels=["x"] * 80, followed=70)
    assert figure.layout.meta["caption"] == "Tokens 20–79 of 80."
    assert figure.layout.height < 1200


def test_one_token_looks_at_itself():
    figure = head_lines_figure(pattern=[[1.0]], labels=["a"], followed=0)
    assert "“a” looks at “a” with 1.00" in named(figure, "tokens").hovertext


def test_lines_of_another_prompt_are_refused():
    with pytest.raises(FigureError, match="labels"):
        head_lines_figure(pattern=patterns(3, 3), labels=["a"], followed=0)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_a_change_is_a_ring_a_dot_and_its_points(theme):
    figure = change_figure(
        labels=["·girl", "·boy"], before=[0.5, 0.2], after=[0.348, 0.3], theme=theme
    )
    assert list(named(figure, "before").x) == pytest.approx([0.5, 0.2])
    assert list(named(figure, "after").x) == pytest.approx([0.348, 0.3])
    assert list(named(figure, "after").marker.color) == [theme.down, theme.up]
    texts = " ".join(note.text for note in figure.layout.annotations)
    assert "−15.2" in texts
    assert "+10.0" in texts
    assert "−15.2 points" in named(figure, "after").hovertext[0]


def test_a_changed_token_that_looks_like_markup_stays_text():
    figure = change_figure(labels=["<b>%{x}"], before=[0.1], after=[0.2])
    assert "<b>%" not in figure.data[0].hovertext[0]
    assert not any("<b>%{" in note.text for note in figure.layout.annotations)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (0.0012, 0.00125, "+0.005"),
        (0.0012, 0.0017, "+0.05"),
        (0.014, 0.0137, "−0.03"),
        (0.2, 0.2, "0.0"),
        (0.5, 0.348, "−15.2"),
    ],
)
def test_a_small_move_is_written_with_the_decimals_that_show_it(before, after, said):
    figure = change_figure(labels=["a"], before=[before], after=[after])
    assert f"<b>{said}</b>" in [note.text for note in figure.layout.annotations]
    assert f"{said} points" in named(figure, "after").hovertext[0]


@pytest.mark.parametrize("top", [0.0004, 0.0013, 0.002, 0.0063, 0.01, 0.03, 0.07, 0.2, 1.0])
def test_ticks_differ_however_small_the_probabilities(top):
    axis = change_figure(labels=["a"], before=[top], after=[top / 2]).layout.xaxis
    assert len(set(axis.ticktext)) == len(axis.ticktext) >= 3
    assert 0.6 * axis.range[1] < axis.tickvals[-1] <= axis.range[1]
    np.testing.assert_allclose([float(t[:-2]) / 100 for t in axis.ticktext], axis.tickvals)


def test_the_table_of_a_change():
    columns, rows = change_table(labels=["a"], before=[0.5], after=[0.25])
    assert columns == ["token", "before", "after", "change"]
    assert rows == [("a", 0.5, 0.25, -0.25)]

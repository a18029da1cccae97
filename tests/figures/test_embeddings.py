import numpy as np
import pytest

from tokenjourney.figures.embeddings import map_figure, similarity_figure
from tokenjourney.figures.theme import LIGHT, FigureError


def cosines(size):
    rows = np.random.default_rng(2).normal(size=(size, 8))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows @ rows.T).astype(np.float32)


def test_similarity_shows_every_pair_on_a_scale_from_minus_1_to_1():
    fig = similarity_figure(cosines=cosines(3), labels=["a", "<b>", "a"], followed=1)
    heatmap, *_, cells = fig.data
    np.testing.assert_array_equal(heatmap.z, cosines(3))
    assert (heatmap.zmin, heatmap.zmax) == (-1, 1)
    assert cells.text[0] == "1.00"
    assert list(fig.layout.yaxis.ticktext) == ["a₀", "&lt;b&gt;", "a₂"]
    assert cells.hovertemplate.startswith("“%{y}” and “%{x}”: cosine %{text}")
    outlines = [s for s in fig.layout.shapes if s.type == "rect"]
    assert [s.line.color for s in outlines] == [LIGHT.accent] * 2


def test_many_tokens_become_a_picture_without_losing_height():
    fig = similarity_figure(cosines=cosines(200), labels=[str(i) for i in range(200)])
    assert len([i for i in fig.layout.images if i.xref == "x"]) == 1
    assert 450 < fig.layout.height < 600


def test_what_the_vectors_are_stands_along_both_axes():
    fig = similarity_figure(cosines=cosines(200), labels=list("a" * 200), axis="position")
    assert fig.layout.xaxis.title.text == fig.layout.yaxis.title.text == "position"


def test_a_similarity_needs_as_many_labels_as_rows():
    with pytest.raises(FigureError, match="expected \\(2, 2\\)"):
        similarity_figure(cosines=cosines(3), labels=["a", "b"])


def crowd(n=60):
    points = np.random.default_rng(4).normal(size=(n, 2)).astype(np.float32)
    labels = [f"·word{i}" for i in range(n)]
    return {"points": points, "labels": labels, "groups": [0] * 6 + [1] * (n - 6), "followed": 2}


def test_every_token_is_a_point_and_the_prompt_is_drawn_above_its_neighbours():
    given = crowd()
    neighbours, prompt = map_figure(**given, shares=[0.12, 0.08]).data
    np.testing.assert_array_equal(np.stack([prompt.x, prompt.y], 1), given["points"][:6])
    np.testing.assert_array_equal(np.stack([neighbours.x, neighbours.y], 1), given["points"][6:])
    assert [i for i, c in enumerate(prompt.marker.color) if c == LIGHT.accent] == [2]
    assert prompt.hovertext[2] == "“·word2”, in the prompt"


def test_axes_of_the_map_say_how_much_they_show():
    fig = map_figure(**crowd(), shares=[0.12, 0.08])
    assert fig.layout.xaxis.title.text == "first direction, 12 % of the variance"
    assert fig.layout.yaxis.title.text == "second direction, 8.0 % of the variance"


def test_tokens_of_the_prompt_are_always_named_and_crowded_neighbours_are_not():
    given = crowd()
    given["points"] = given["points"] * 0 + np.arange(60)[:, None] * np.float32(0.001)
    neighbours, prompt = map_figure(**given).data
    assert all(prompt.text)
    assert "" in neighbours.text


def test_one_token_alone_has_a_map():
    fig = map_figure(points=[[0.0, 0.0]], labels=["a"], groups=[0], followed=0)
    low, high = fig.layout.xaxis.range
    assert low < 0 < high


def test_a_thousand_tokens_stand_no_higher_than_four_hundred():
    heights = [
        similarity_figure(cosines=np.eye(n), labels=["·a"] * n).layout.height for n in (432, 1024)
    ]
    assert heights[0] == heights[1]


def test_in_a_crowd_only_labels_with_room_are_written_and_that_of_the_followed_token():
    fig = map_figure(
        points=[*np.random.default_rng(0).normal(0, 0.01, (40, 2)).tolist(), [9.0, 9.0]],
        labels=[f"·token{i}" for i in range(41)], groups=[0] * 41, followed=33,
    )  # fmt: skip
    (prompt,) = fig.data
    written = [text for text in prompt.text if text]
    assert "<b>·token33</b>" in written
    assert "<b>·token40</b>" in written
    assert len(written) < 20
    assert len(prompt.hovertext) == 41

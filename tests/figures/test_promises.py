"""What every figure promises, whatever it shows."""

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from tokenjourney.figures.attention import attention_matrices_figure
from tokenjourney.figures.bars import bars_figure, pushes_figure
from tokenjourney.figures.embeddings import map_figure, similarity_figure
from tokenjourney.figures.layers import lens_figure, norms_figure, rank_figure
from tokenjourney.figures.output import output_figure
from tokenjourney.figures.positions import (
    distance_figure,
    position_pictures_figure,
    two_places_figure,
)
from tokenjourney.figures.predictions import predictions_figure
from tokenjourney.figures.strips import strips_figure
from tokenjourney.figures.theme import DARK, LIGHT

TOKENS = 5
ODD = ["<script>alert(1)</script>", "&lt;b&gt;", "$x$", "%{y}", "<a href='j'>a</a>"]
rng = np.random.default_rng(0)


def numbers(*shape: int) -> np.ndarray:
    array = rng.random(shape).astype(np.float32)
    array.setflags(write=False)
    return array


square, vector = numbers(TOKENS, TOKENS), numbers(TOKENS)
kept = np.ones(TOKENS, dtype=bool)
kept.setflags(write=False)

CASES = {
    "attention": (attention_matrices_figure, {
        "dot_products": square, "scaled": square, "pattern": square, "d_head": 32, "labels": ODD,
        "followed": 3}),
    "bars": (bars_figure, {"labels": ODD, "values": vector, "axis": "cosine"}),
    "pushes": (pushes_figure, {
        "promoted_labels": ODD, "promoted": vector, "suppressed_labels": ODD,
        "suppressed": -vector, "by": ODD[0]}),
    "similarity": (similarity_figure, {"cosines": square, "labels": ODD, "followed": 0}),
    "map": (map_figure, {
        "points": numbers(TOKENS, 2), "labels": ODD, "groups": [0, 0, 1, 1, 1], "followed": 0}),
    "lens": (lens_figure, {
        "guesses": [ODD] * 3, "probabilities": numbers(3, TOKENS), "labels": ODD, "followed": 0}),
    "norms": (norms_figure, {
        "lengths": numbers(3, TOKENS), "labels": ODD, "followed": 1}),
    "rank": (rank_figure, {
        "ranks": [5, 2, 1], "probabilities": numbers(3), "label": ODD[0], "vocabulary": 9}),
    "output": (output_figure, {
        "logits": vector, "scaled": vector, "probabilities": vector / vector.sum(), "kept": kept,
        "renormalised": vector / vector.sum(), "token_ids": list(range(TOKENS)), "labels": ODD,
        "chosen": 0, "chosen_label": ODD[0], "draw": 0.5, "entropies": (1.0, 2.0, 3.0)}),
    "pictures": (position_pictures_figure, {
        "panels": [(ODD[0], ODD[1], square)], "tokens": 3, "followed": 1}),
    "distance": (distance_figure, {"curves": [(ODD[0], vector, vector, vector)]}),
    "two places": (two_places_figure, {
        "cosines": vector, "stations": ODD, "labels": (ODD[0], ODD[1])}),
    "predictions": (predictions_figure, {
        "labels": ODD, "guesses": ODD, "guess_probabilities": vector,
        "true_probabilities": vector[1:], "losses": vector[1:], "followed": 2}),
    "strips": (strips_figure, {
        "columns": [("Token", "", square)], "labels": ODD, "ids": [1, 2, 3, 4, 5], "followed": 2}),
}  # fmt: skip


@pytest.fixture(params=CASES)
def make(request):
    function, arguments = CASES[request.param]
    return lambda theme="light": function(**arguments, theme=theme)


def strings(part: object) -> list[str]:
    if isinstance(part, dict):
        return [text for value in part.values() for text in strings(value)]
    if isinstance(part, list):
        return [text for value in part for text in strings(value)]
    return [part] if isinstance(part, str) else []


def test_it_is_a_figure_of_fixed_height_in_the_template_of_its_theme_without_a_title(make):
    fig = make("dark")
    assert isinstance(fig, go.Figure)
    assert 100 <= fig.layout.height <= 1200
    assert fig.layout.title.text is None
    assert fig.layout.template.layout.hoverlabel.bgcolor == DARK.ink


def test_a_token_is_never_read_as_markup_or_as_a_placeholder(make):
    plain = json.loads(make().to_json())
    for text in strings({"data": plain["data"], "notes": plain["layout"].get("annotations", [])}):
        assert "<script" not in text
        assert "<a href" not in text
        assert "%{y}%{y}" not in text
        if not text.startswith(("“%{", "position %{", "%{")):
            assert "%{" not in text
            assert "$" not in text


def test_the_same_input_makes_the_same_figure(make):
    assert make().to_json() == make().to_json()


def test_only_colours_of_its_own_theme_occur(make):
    for own, other in ((LIGHT, DARK), (DARK, LIGHT)):
        drawn = json.loads(make(own.name).to_json())
        del drawn["layout"]["template"]
        text = json.dumps(drawn).upper()
        assert not [c for c in (other.accent, other.quantity, other.curve, other.up, other.down)
                    if c in text]  # fmt: skip


def test_numbers_travel_as_typed_arrays(make):
    for trace in json.loads(make().to_json())["data"]:
        if trace["type"] == "heatmap":
            assert "bdata" in trace["z"], trace["name"]

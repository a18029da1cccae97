"""What every figure promises, whatever it shows."""

import importlib
import json
import re
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

import tokenjourney.figures
from tokenjourney.figures.attention import attention_matrices_figure
from tokenjourney.figures.bars import bars_figure, pushes_figure
from tokenjourney.figures.block import StepRow, steps_figure
from tokenjourney.figures.change import change_figure
from tokenjourney.figures.compression import compression_figure
from tokenjourney.figures.embeddings import map_figure, similarity_figure
from tokenjourney.figures.error_path import error_path_figure
from tokenjourney.figures.evidence import (
    depth_loss_figure,
    sizes_figure,
    substitutes_figure,
)
from tokenjourney.figures.feed_forward import gelu_figure
from tokenjourney.figures.gradient_lengths import GradientPanel, gradient_lengths_figure
from tokenjourney.figures.growth import StageColumn, stages_figure
from tokenjourney.figures.head_lines import head_lines_figure
from tokenjourney.figures.head_vectors import head_vectors_figure
from tokenjourney.figures.heads import heads_figure
from tokenjourney.figures.kept import kept_figure
from tokenjourney.figures.layer_norm import layer_norm_figure
from tokenjourney.figures.layers import norms_figure, rank_figure
from tokenjourney.figures.learning_curves import loss_curves_figure
from tokenjourney.figures.lens import lens_figure
from tokenjourney.figures.moving_map import moving_map_figure
from tokenjourney.figures.output import output_figure
from tokenjourney.figures.parameters import family_figure, values_figure
from tokenjourney.figures.patterns import PatternPanel, patterns_figure
from tokenjourney.figures.positions import (
    distance_figure,
    position_pictures_figure,
    two_places_figure,
)
from tokenjourney.figures.predictions import predictions_figure
from tokenjourney.figures.rollout import occlusion_figure, rollout_figure
from tokenjourney.figures.row_gradients import RowGradients, row_gradients_figure
from tokenjourney.figures.strips import strips_figure
from tokenjourney.figures.theme import DARK, LIGHT
from tokenjourney.figures.treemap import Tile, treemap_figure

TOKENS = 5
ODD = ["<script>alert(1)</script>", "&lt;b&gt;", "$x$", "%{meta}", "<a href='j'>a</a>"]
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
    "heads": (heads_figure, {
        "patterns": numbers(2, 3, TOKENS, TOKENS), "chosen": (1, 2), "off": {(0, 0)},
        "kinds": [["previous", "", ""], ["", "first", ""]]}),
    "lines": (head_lines_figure, {"pattern": square, "labels": ODD, "followed": 3}),
    "vectors": (head_vectors_figure, {
        "vectors": [("query", ODD[0], vector), ("key", ODD[3], vector)]}),
    "change": (change_figure, {"labels": ODD, "before": vector, "after": vector[::-1]}),
    "treemap": (treemap_figure, {
        "tiles": [Tile(f"t{i}", odd, 5 - i, i, odd, odd) for i, odd in enumerate(ODD)],
        "kinds": ODD, "chosen": "t1", "rows": [(ODD[2], 0.5, True)], "rows_of": "t0"}),
    "values": (values_figure, {"edges": np.arange(TOKENS + 1), "counts": vector, "mean": 0.5}),
    "family": (family_figure, {
        "models": [(ODD[0], {"a": 5, "b": 10}, 7), (ODD[4], {"a": 10**9}, 10**9)],
        "kinds": {"a": ODD[1], "b": ODD[3]}, "strong": (0,)}),
    "compression": (compression_figure, {
        "ratios": vector, "step": 2, "reference": 0.3, "reference_name": ODD[0],
        "other": vector, "names": (ODD[1], ODD[3])}),
    "steps": (steps_figure, {
        "rows": [StepRow(ODD[0], ODD[2], vector), StepRow(ODD[3], ODD[1], vector, "added"),
                 StepRow(ODD[4], "", vector)]}),
    "layer norm": (layer_norm_figure, {
        "before": vector, "standardised": vector, "after": vector}),
    "gelu": (gelu_figure, {
        "curve": (vector, vector), "pre": vector, "post": vector, "chosen": 2}),
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
    "sizes": (sizes_figure, {"names": ODD, "sizes": [3_000, 10**6, 10**8, 10**9, 10**11],
                               "own": 0}),
    "depth": (depth_loss_figure, {"losses": vector, "blind": 2.0, "before": vector[::-1]}),
    "substitutes": (substitutes_figure, {
        "labels": ODD, "cosines": vector, "beside": vector, "overlaps": vector, "token": ODD[0]}),
    "rollout": (rollout_figure, {
        "mean": vector, "rollout": vector, "labels": ODD, "followed": 1}),
    "occlusion": (occlusion_figure, {
        "changes": vector - 0.5, "probabilities": vector, "labels": ODD, "answer": ODD[0],
        "followed": 1}),
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
    "losses": (loss_curves_figure, {
        "steps": vector, "train": vector, "seen_at": vector[:2], "held_out": vector[:2],
        "twin": vector, "vocabulary": 9, "last_step": 5, "marked": 2}),
    "gradient lengths": (gradient_lengths_figure, {
        "panels": [GradientPanel("with", "", ODD, square), GradientPanel("no", "", ODD, square)],
        "steps": vector, "last_step": 5}),
    "moving map": (moving_map_figure, {
        "trail": [numbers(TOKENS, 2)] * 2, "labels": ODD, "limit": 2.0,
        "kinds": ["letters", "capitals", "other", "other", "letters"]}),
    "patterns": (patterns_figure, {
        "panels": [PatternPanel("before", "", square), PatternPanel("after", "", square)],
        "labels": ODD, "followed": 1}),
    "row gradients": (row_gradients_figure, {
        "ways": [RowGradients("read", "", vector, 0.0)], "labels": ODD, "others": "others",
        "followed": 0}),
    "error path": (error_path_figure, {"lengths": numbers(3, TOKENS), "labels": ODD}),
    "kept": (kept_figure, {
        "parts": [("keys", "5 numbers each", square)], "labels": ODD, "step": 4}),
    "stages": (stages_figure, {
        "columns": [StageColumn("untrained", ("a", "b"), ODD, vector, 0.5)], "came": ODD[0]}),
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
    assert 60 <= fig.layout.height <= 1200
    assert fig.layout.title.text is None
    assert fig.layout.template.layout.hoverlabel.bgcolor == DARK.ink


def test_a_token_is_never_read_as_markup_or_as_a_placeholder(make):
    plain = json.loads(make().to_json())
    for text in strings({"data": plain["data"], "notes": plain["layout"].get("annotations", [])}):
        assert "<script" not in text
        assert "<a href" not in text
        assert "%{meta}" not in text
        assert "$x$" not in text


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


def test_a_browser_can_draw_every_heatmap_as_a_picture_of_a_pixel_a_cell(make):
    for trace in make().data:
        if trace.type == "heatmap":
            assert (trace.xgap, trace.ygap, trace.zsmooth) == (None, None, None), trace.name
            for edges in (trace.x, trace.y):
                if edges is not None and len(edges) > 1:
                    np.testing.assert_allclose(np.diff(edges), np.diff(edges).mean(), rtol=0.01)


def test_the_index_names_every_figure_and_only_what_is_there():
    folder = Path(tokenjourney.figures.__file__).parent
    index = dict(
        re.findall(r"^- (\w+)(?: \([\w, ]+\))?: (.+)$", tokenjourney.figures.__doc__, re.M)
    )
    for name, listed in index.items():
        module = importlib.import_module(f"tokenjourney.figures.{name}")
        assert [f for f in re.findall(r"`(\w+)`", listed) if not hasattr(module, f)] == []
    for path in folder.glob("*.py"):
        drawn = re.findall(r"^def (\w+_figure)\(", path.read_text(encoding="utf-8"), re.M)
        assert set(drawn) <= set(re.findall(r"`(\w+)`", index.get(path.stem, ""))), path.name

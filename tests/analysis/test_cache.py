"""What a KV cache keeps and saves, against the tensors that a run really holds."""

import numpy as np
import pytest

import tokenjourney as tj
from tests.engine import CONFIG, random_model
from tokenjourney.analysis.beyond import DEEPSEEK_V3
from tokenjourney.analysis.cache import (
    family_caches,
    kept_by_kind,
    kept_of_head,
    work_of_step,
)
from tokenjourney.analysis.counts import cache_bytes, kept_of_token
from tokenjourney.model.config import GPT2Config
from tokenjourney.model.loading import MODELS_FOLDER

PROMPT = "The dog chased another dog"


@pytest.fixture(scope="module", params=[None, "mla-mlp"])
def journey(request):
    folder = MODELS_FOLDER / request.param if request.param else None
    return tj.trace(tj.load_model(folder) if folder else tj.load_model(), PROMPT)


def test_a_head_reads_what_the_record_holds(journey):
    record, n = journey._record, len(journey)
    for block, head in ((0, 0), (2, 3)):
        first, second = kept_of_head(journey, block, head)
        row = head if record.keys.shape[1] > 1 else 0
        np.testing.assert_allclose(first, record.keys[block, row, :n].numpy(), atol=1e-5)
        np.testing.assert_allclose(second, record.values[block, row, :n].numpy(), atol=1e-5)


def test_the_formula_gives_the_bytes_of_the_tensors(journey):
    record, n = journey._record, len(journey)
    tensors = record.keys[:, :, :n].nbytes + record.values[:, :, :n].nbytes
    assert cache_bytes(journey.config, n) == tensors
    assert cache_bytes(journey.config, n, 2) == tensors // 2


def test_gpt2s_formula_is_two_vectors_of_every_head_and_block():
    c = CONFIG
    assert cache_bytes(c, 7) == 2 * c.n_layers * c.n_heads * c.d_head * 7 * 4


def test_columns_that_are_kept_never_change():
    model = random_model()
    ids = list(range(12))
    whole = kept_of_head(tj.trace(model, ids), 1, 1)
    for n in (1, 5, 11):
        for early, late in zip(kept_of_head(tj.trace(model, ids[:n]), 1, 1), whole, strict=True):
            np.testing.assert_allclose(early, late[:n], atol=1e-5)


def test_published_sizes_give_published_numbers():
    caches = family_caches(1, 2)
    assert caches["GPT-2 small"] == 2 * 12 * 768 * 2
    assert caches["GPT-3"] == 2 * 96 * 12288 * 2
    assert caches["DeepSeek-V3, MLA"] == 61 * 576 * 2
    assert caches["DeepSeek-V3, MHA"] == 61 * 32768 * 2
    doubled = family_caches(2, 2)
    assert all(doubled[name] == 2 * n_bytes for name, n_bytes in caches.items())
    assert family_caches(1, 4) == doubled


def test_kinds_at_the_sizes_of_the_model():
    config = GPT2Config(n_layers=2, n_heads=6, d_model=192, d_vocab=9, n_ctx=8)
    kept = kept_by_kind(config)
    assert kept["mha"] == kept_of_token(config) == 384
    assert kept["mla"] == 4.5 * config.d_head  # as 2.25 groups would keep
    assert kept_by_kind(DEEPSEEK_V3)["mla"] == kept_of_token(DEEPSEEK_V3) == 576


def test_the_first_token_costs_the_same_and_every_later_one_more_without():
    assert len(set(work_of_step(CONFIG, 1))) == 1
    ratios = [without / cached for cached, without in (work_of_step(CONFIG, n) for n in (2, 5, 9))]
    assert 1 < ratios[0] < ratios[1] < ratios[2] < 9

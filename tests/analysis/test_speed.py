"""What is measured is the work of a new token; how long it takes is the machine's affair."""

import pytest

from tests.engine import CONFIG, random_model
from tokenjourney.analysis.speed import lengths_to_measure, measured_speed


def test_there_is_a_measurement_for_each_length_as_soon_as_it_is_made():
    lengths = (2, 16, CONFIG.n_ctx)
    measuring = measured_speed(random_model(), [1, 2, 3], lengths)
    for length, found in zip(lengths, measuring, strict=True):
        assert found.n_tokens == length
        assert found.cached_ms > 0
        assert found.uncached_ms > 0


@pytest.mark.parametrize(("n_ctx", "n_tokens"), [(48, 1), (256, 256), (1024, 300)])
def test_lengths_fit_the_context_and_hold_the_text_itself(n_ctx, n_tokens):
    lengths = lengths_to_measure(n_ctx, n_tokens)
    assert max(2, n_tokens) in lengths
    assert lengths[-1] == n_ctx
    assert list(lengths) == sorted(set(lengths))

"""What a click on a figure's point sets."""

import pytest

from tokenjourney.ui.figure import _changes


@pytest.mark.parametrize(
    ("clicks", "point", "changes"),
    [
        ("token", {"customdata": [3]}, {"token": 3}),
        ("token", {"customdata": 3}, {"token": 3}),
        (("block", "head"), {"customdata": [1, 2]}, {"block": 1, "head": 2}),
        (("token", "watch"), {"customdata": [4, 459]}, {"token": 4, "watch": 459}),
        (("block", "head"), {"customdata": [1, None]}, {"block": 1}),
        ({"token": "y"}, {"x": 1.0, "y": 5.0}, {"token": 5}),
        ("token", {}, {}),
    ],
)
def test_a_click_sets_what_the_point_carries(clicks, point, changes):
    assert _changes(clicks, point) == changes

import re

import plotly.io as pio
import pytest

from tokenjourney.figures.theme import DARK, LIGHT, FigureError, as_theme, css_variables


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_css_and_plotly_take_their_colours_from_the_same_definition(theme):
    variables = dict(re.findall(r"--tj-([\w-]+): (#\w{6});", css_variables(theme)))
    template = pio.templates[theme.template].layout
    assert variables["accent-soft"] == theme.accent_soft
    assert template.colorway == tuple(
        variables[name] for name in ("quantity", "curve", "accent", "up", "down")
    )
    assert [c for _, c in template.colorscale.sequential] == [
        variables[f"seq-{i}"] for i in range(6)
    ]
    assert [c for _, c in template.colorscale.diverging] == [
        variables[f"div-{i}"] for i in range(7)
    ]
    assert template.colorscale.sequentialminus == template.colorscale.sequential
    assert template.paper_bgcolor == template.plot_bgcolor == "rgba(0,0,0,0)"
    assert (template.hoverlabel.bgcolor, template.hoverlabel.font.color) == (theme.ink, theme.bg)


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize(
    ("text", "ground", "least"),
    [
        ("ink", "bg", 15),
        ("ink2", "bg", 8),
        ("ink3", "bg", 4.9),
        ("accent", "bg", 4.5),
        ("on_accent", "accent", 4.5),
        ("ink", "surface", 12),
    ],
)
def test_text_can_be_read_on_its_ground(theme, text, ground, least):
    assert contrast(getattr(theme, text), getattr(theme, ground)) >= least


def test_an_unknown_theme_is_refused_by_name():
    with pytest.raises(FigureError, match=r"'sepia'.*light, dark"):
        as_theme("sepia")

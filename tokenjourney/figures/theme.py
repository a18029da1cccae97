"""The palette, its two scales, the Plotly templates and the CSS variables, defined once.

What a number is decides its colour: quantities from 0 up are blue (`seq`), signed ones purple and
green (`div`), and the followed token, with what it becomes, has the accent.
"""

import re
from dataclasses import dataclass, fields
from typing import Final

import plotly.graph_objects as go
import plotly.io as pio

from tokenjourney.errors import TokenJourneyError

FONT_FAMILY: Final = '"Source Sans", "Source Sans 3", "Source Sans Pro", system-ui, sans-serif'
CODE_FAMILY: Final = '"Source Code Pro", "Source Code", ui-monospace, monospace'


class FigureError(TokenJourneyError):
    """Arrays or labels that do not fit the figure they were given to, or an unknown theme."""


@dataclass(frozen=True)
class Theme:
    """The colours of one theme, all as `#RRGGBB`.

    `seq` are the six steps of the scale for quantities from 0, `div` the seven steps of the scale
    for signed values, whose middle is 0. The first step of `seq` and the middle of `div` are close
    to the page, so that a zero looks like nothing.
    """

    name: str
    bg: str
    surface: str
    line: str
    ink: str
    ink2: str
    ink3: str
    track: str
    curve: str
    accent: str
    accent_soft: str
    on_accent: str
    quantity: str
    primary: str
    up: str
    down: str
    seq: tuple[str, ...]
    div: tuple[str, ...]

    @property
    def template(self) -> str:
        """The name under which Plotly knows the template of this theme."""
        return f"tj_{self.name}"

    @property
    def seq_scale(self) -> list[list[float | str]]:
        """`seq` as a Plotly colour scale: equal steps from 0 to 1."""
        return _scale(self.seq)

    @property
    def div_scale(self) -> list[list[float | str]]:
        """`div` as a Plotly colour scale: equal steps from 0 to 1, zero at 0.5."""
        return _scale(self.div)

    def faded(self, colour: str, opacity: float) -> str:
        """One of the colours with an opacity, as `rgba(r,g,b,a)`.

        >>> LIGHT.faded(LIGHT.bg, 0.5)
        'rgba(255,255,255,0.5)'
        """
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        return f"rgba({red},{green},{blue},{opacity:g})"


LIGHT: Final = Theme(
    name="light",
    bg="#FFFFFF",
    surface="#F5F7FA",
    line="#DFE4EC",
    ink="#17202E",
    ink2="#44505F",
    ink3="#647081",
    track="#D3DAE4",
    curve="#7C8898",
    accent="#CC4409",
    accent_soft="#FBE3D6",
    on_accent="#FFFFFF",
    quantity="#2F66B5",
    primary="#33415A",
    up="#0B6B4F",
    down="#6A2F9C",
    seq=("#F3F6FB", "#CDDCF2", "#8DB2E2", "#4A7FC9", "#1F4E96", "#0B2A5B"),
    div=("#4F1F7E", "#8F62B8", "#CDB9E0", "#F4F5F7", "#A9DCCB", "#35987A", "#06543D"),
)

DARK: Final = Theme(
    name="dark",
    bg="#0E1117",
    surface="#171C25",
    line="#2B3342",
    ink="#F1F4F8",
    ink2="#BCC6D3",
    ink3="#95A1B2",
    track="#3A4454",
    curve="#8A97A9",
    accent="#FF9A52",
    accent_soft="#41260F",
    on_accent="#1A0E05",
    quantity="#6FA3E8",
    primary="#62748F",
    up="#67DDB7",
    down="#CBA0F5",
    seq=("#1A2029", "#1F3760", "#2F5FA6", "#5D95E0", "#A6CCFA", "#F0F7FF"),
    div=("#DDB8FF", "#9669CC", "#463066", "#1C212B", "#16493E", "#2F9B7C", "#86F2D0"),
)

THEMES: Final = {theme.name: theme for theme in (LIGHT, DARK)}


def as_theme(theme: Theme | str) -> Theme:
    """The theme itself, or the one of that name ("light" or "dark").

    Raises:
        FigureError: a name that is neither.

    >>> as_theme("dark").bg
    '#0E1117'
    """
    if isinstance(theme, Theme):
        return theme
    if theme not in THEMES:
        raise FigureError(
            f"There is no theme {theme!r}. Pass one of these names: {', '.join(THEMES)}."
        )
    return THEMES[theme]


def css_variables(theme: Theme | str) -> str:
    """The declarations `--tj-…: #RRGGBB;` of a theme, one a line, for the braces of a CSS rule.

    Every colour is there under its own name (`--tj-accent-soft`), the steps of the scales as
    `--tj-seq-0` to `--tj-seq-5` and `--tj-div-0` to `--tj-div-6`.

    >>> css_variables("light").splitlines()[0]
    '--tj-bg: #FFFFFF;'
    """
    theme = as_theme(theme)
    lines: list[str] = []
    for field in fields(theme):
        value = getattr(theme, field.name)
        name = re.sub("_", "-", field.name)
        if field.name == "name":
            continue
        if isinstance(value, tuple):
            lines += [f"--tj-{name}-{step}: {colour};" for step, colour in enumerate(value)]
        else:
            lines.append(f"--tj-{name}: {value};")
    return "\n".join(lines)


def _scale(colours: tuple[str, ...]) -> list[list[float | str]]:
    last = len(colours) - 1
    return [[step / last, colour] for step, colour in enumerate(colours)]


def _template(theme: Theme) -> go.layout.Template:
    axis = {
        "gridcolor": theme.line,
        "linecolor": theme.line,
        "zerolinecolor": theme.curve,
        "tickcolor": theme.line,
        "tickfont": {"color": theme.ink3, "size": 13},
        "title": {"font": {"color": theme.ink2, "size": 14}, "standoff": 8},
        "automargin": False,
        "ticklabeloverflow": "allow",  # otherwise the browser measures every label
        "tickangle": 0,  # or tries which way up they fit, and titles may land among them
        "ticklabelstandoff": 3,
        "tickformat": ",",  # thousands separated
        "fixedrange": True,
    }
    bar = {
        "thickness": 10,
        "outlinewidth": 0,
        "tickfont": {"color": theme.ink3, "size": 12},
        "title": {"font": {"color": theme.ink2, "size": 13}},
    }
    layout = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT_FAMILY, "size": 14, "color": theme.ink2},
        "colorway": [theme.quantity, theme.curve, theme.accent, theme.up, theme.down],
        "colorscale": {
            "sequential": theme.seq_scale,
            "sequentialminus": theme.seq_scale,
            "diverging": theme.div_scale,
        },
        "hoverlabel": {
            "bgcolor": theme.ink,
            "bordercolor": theme.ink,
            "font": {"family": FONT_FAMILY, "size": 14, "color": theme.bg},
            "align": "left",
            "namelength": -1,
        },
        "hovermode": "closest",
        "dragmode": False,
        "showlegend": False,
        "legend": {"font": {"color": theme.ink2, "size": 13}},
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "separators": ".,",
        "annotationdefaults": {"showarrow": False, "font": {"color": theme.ink2, "size": 13}},
        "xaxis": axis,
        "yaxis": axis,
    }
    return go.layout.Template(
        layout=layout,
        data={
            "heatmap": [go.Heatmap(colorbar=bar)],
            "scatter": [go.Scatter(marker={"line": {"width": 0}})],
        },
    )


for _theme in THEMES.values():
    pio.templates[_theme.template] = _template(_theme)

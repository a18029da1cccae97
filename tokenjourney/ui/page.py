"""The scaffold of every page: the same order, words and folds, so that pages stay thin."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, TypeVar

import streamlit as st

from tokenjourney.analysis.head_averages import (
    HeadAverages,
    head_averages,
    stored_head_averages,
)
from tokenjourney.analysis.neighbours import row_lengths
from tokenjourney.errors import TokenJourneyError
from tokenjourney.figures.export import Table
from tokenjourney.figures.theme import Theme
from tokenjourney.ui import cache, components, figure, knock_outs, models, parts, state, widgets
from tokenjourney.ui import text as words
from tokenjourney.ui.figure import Clicks
from tokenjourney.ui.text import Safe

if TYPE_CHECKING:
    from collections.abc import Hashable

    import numpy as np
    import plotly.graph_objects as go
    from numpy.typing import NDArray

    from tokenjourney.analysis.knock_outs import KnockOuts
    from tokenjourney.journey import Journey
    from tokenjourney.model import Model
    from tokenjourney.model.config import GPT2Config

Value = TypeVar("Value")
_SIZES: Final = ("n_layers", "n_heads", "d_model", "d_head", "d_mlp", "d_vocab", "n_ctx")
_NAME: Final = re.compile(r"[A-Za-z_]+")


class Page:
    """One page on one journey. Make it with `open_page`.

    Attributes:
        name: Name of the page, and of its file in assets/texts.
        off: What is switched off.
        journey: The Journey on screen, without what is switched off.
        untouched: The Journey with everything on; the same one where nothing is off.
        model: The model that made it.
        theme: The colours of the theme that the person sees; hand it to figure functions.
        texts_of_tokens: Visible text of each token.
        labels: The same, but one that occurs twice has its position as subscript.
        token: Position of the followed token.
    """

    def __init__(self, name: str) -> None:
        """Opens the page `name` on what the person chose."""
        choice = state.current()
        prompt, model = choice.shown or (choice.prompt, choice.model)
        self.name = name
        self.texts = words.load(name)
        self.model: Model = cache.model(model)
        self.untouched: Journey = cache.journey(model, prompt)
        self.off: KnockOuts = knock_outs.chosen(self.model.config)
        self.journey: Journey = cache.journey(model, prompt, self.off.edits)
        self.theme: Theme = widgets.theme()
        self.texts_of_tokens: tuple[str, ...] = cache.texts(self.journey)
        self.labels: tuple[str, ...] = cache.labels(self.journey)
        last = len(self.journey.token_ids) - 1
        self.token: int = last if choice.token is None else min(choice.token, last)
        self._model_name, self._prompt, self._opened = model, prompt, choice.said()

    # What the person chose

    @property
    def block(self) -> int:
        """The chosen block, from 0."""
        return min(state.current().block, self.model.config.n_layers - 1)

    @property
    def head(self) -> int:
        """The chosen head, from 0."""
        return min(state.current().head, self.model.config.n_heads - 1)

    def label(self, token_id: int) -> str:
        """Visible text of any token of the vocabulary: · for a space, ↵ for a newline."""
        return cache.label(self.model, token_id)

    @property
    def token_html(self) -> Safe:
        """The followed token as a mark in the accent, for `text` and `say`."""
        return words.token(self.labels[self.token])

    def edited(self, edits: Sequence[Any]) -> Journey:
        """The journey with more edits, from the cache where it is there."""
        return cache.journey(self._model_name, self._prompt, (*self.off.edits, *edits))

    def remember(self, key: str, compute: Callable[[], Value], of: str = "journey") -> Value:
        """A value computed once and kept for everybody, as long as there is room.

        Args:
            key: Its name on this page.
            compute: Makes it; it must depend on the model and, unless `of` is "model", the prompt
                and what is switched off.
            of: "journey" or "model".
        """
        run = (self._prompt, self.off) if of == "journey" else None
        return cache.fact((self.name, _short(key), self._model_name, run), compute)

    def row_lengths(self) -> NDArray[np.float32]:
        """The lengths of all rows of W_E, (d_vocab,)."""
        key = ("row lengths", self._model_name)
        return cache.fact(key, lambda: row_lengths(self.model.W_E))

    def head_averages(self) -> HeadAverages:
        """What the model's heads do on average: as stored beside the checkpoint, or measured now.

        Measured now, it is one run on random tokens; stored, it is the mean over several.
        """

        def found() -> HeadAverages:
            with suppress(TokenJourneyError):  # a folder that is gone stores nothing
                stored = stored_head_averages(self.model, models.folder(self._model_name))
                if stored is not None:
                    return stored
            return head_averages(self.model, seeds=(0,))

        return cache.fact(("head averages", self._model_name), found)

    def other(self, prompt: str) -> Journey:
        """Another prompt through the same model, without what is switched off.

        Raises:
            TokenJourneyError: the prompt cannot be traced.
        """
        return cache.journey(self._model_name, prompt, self.off.edits)

    # What is switched off

    def switches(self, *parts: KnockOuts) -> None:
        """A button for each part, such as `page.off.head(3, 4)`, that switches it off or on."""
        knock_outs.switches(self, *parts)

    def head_pills(self, block: int) -> None:
        """The heads of a block, each to be switched off and on with a click."""
        knock_outs.head_pills(self, block)

    def effect(self) -> None:
        """What comes after the followed token with everything on, and now."""
        knock_outs.effect(self)

    # Words

    def text(self, key: str, **values: object) -> Safe:
        """The text at `key` ("title", "figures.sum.caption") of this page's file, as safe HTML.

        Args:
            key: Its path in the file, with dots.
            **values: What `{name}` in the text stands for; escaped unless it is `Safe`.

        Raises:
            KeyError: no such text, or a value is missing.
        """
        found: Any = self.texts
        for part in key.split("."):
            found = found[part]
        return words.markup(found, **values)

    def has_text(self, key: str) -> bool:
        """Whether this page's file has a text at `key`."""
        found: Any = self.texts
        for part in key.split("."):
            if not isinstance(found, Mapping) or part not in found:
                return False
            found = found[part]
        return True

    def header(self, **values: object) -> None:
        """Title, story words and lead sentence. `open_page` calls it for you."""
        story = state.current().story
        aside = ""
        if story != "off" and self.has_text(f"story.{story}"):
            aside = f'<span class="tj-story">{self.text(f"story.{story}", **values)}</span>'
        st.html(
            Safe(
                f'<header class="tj-header"><h1>{self.text("title", **values)}</h1>{aside}'
                f'<p class="tj-lead">{self.text("sentence", **values)}</p></header>'
            )
        )

    def section(self, key: str, **values: object) -> None:
        """A heading within the page, and its `note` under it: `[sections.KEY] title, note`."""
        note = ""
        if self.has_text(f"sections.{key}.note"):
            note = f"<p>{self.text(f'sections.{key}.note', **values)}</p>"
        title = self.text(f"sections.{key}.title", **values)
        st.html(Safe(f'<div class="tj-section"><h2>{title}</h2>{note}</div>'))

    def plain(self, key: str, **values: object) -> str:
        """The same without markup: for labels of widgets and titles of axes."""
        return words.plain(self.text(key, **values))

    def text_table(self, key: str) -> dict[str, str]:
        """A table of the page's file as it is: names of kinds, of units."""
        return dict(self.texts[key])

    def show(self, html: Safe, kind: str = "tj-say") -> None:
        """Safe HTML in a block of its own."""
        st.html(Safe(f'<div class="{kind}">{html}</div>'))

    def columns(self, *args: Any, **kwargs: Any) -> Sequence[Any]:
        """Columns side by side; see `st.columns`."""
        return list(st.columns(*args, **({"gap": "large"} | kwargs)))

    def row(self, name: str, gap: Any = "large") -> Any:
        """A container whose elements stand side by side, each as wide as the others.

        It costs a browser half as much as columns. Take those where one holds several elements.
        The style sheet knows rows by their names.
        """
        return st.container(horizontal=True, gap=gap, key=f"row-{name}")

    def stop(self) -> None:
        """End the page here."""
        st.stop()

    def say(self, key: str, **values: object) -> None:
        """A paragraph: the text at `key`."""
        st.html(Safe(f'<p class="tj-say">{self.text(key, **values)}</p>'))

    def shapes(self, *shapes: str, where: Mapping[str, int] | None = None) -> None:
        """What flows through here: names, and under them this prompt's numbers.

        Args:
            *shapes: As "(T)", "(T, d_model)": T and the names of the model's configuration; other
                words stay.
            where: Numbers of other names.
        """
        config = self.model.config
        numbers = {"T": len(self.journey.token_ids)} | _sizes(config)
        numbers |= where or {}
        named = " → ".join(shapes)

        def number(name: re.Match[str]) -> str:
            found = numbers.get(name.group())
            return name.group() if found is None else f"{found:,}"

        here = _NAME.sub(number, named)
        st.html(
            Safe(
                '<p class="tj-shapes" aria-label="Shapes of what flows through">'
                f"<code>{words.escaped(named)}</code>"
                f"<span><i>here</i><code>{words.escaped(here)}</code></span></p>"
            )
        )

    def look_for(self, key: str = "look_for", **values: object) -> None:
        """The box "What to look for", with the text at `key`."""
        st.html(
            Safe(
                '<aside class="tj-look"><b>What to look for</b>'
                f"<p>{self.text(key, **values)}</p></aside>"
            )
        )

    # Figures

    def figure(
        self,
        name: str,
        chart: go.Figure | Callable[[], go.Figure],
        table: Table | Callable[[], Table],
        *,
        clicks: Clicks = (),
        caption: str | Safe | None = None,
        of: str = "journey",
        hangs_on: Sequence[object] | None = None,
        **values: object,
    ) -> None:
        """A chart of fixed height with caption, downloads (PNG, SVG, CSV) and a table behind it.

        Args:
            name: Name of the figure, unique on the page, used for keys and file names. Its caption
                and alternative text are `[figures.NAME] caption, alt` of the page's file; without
                `alt` the caption serves. What the chart says about itself is `{about}` in them,
                and serves where there is no text.
            chart: A Plotly figure with a height, made for `page.theme`; or a function that makes
                it. Then it is made once for all who see the same, so it may hang on nothing but
                what stands in the link.
            table: The same numbers as a table (column names, rows), or a function that makes it
                when it is asked for.
            clicks: Names of what a click sets: "token", "block", "head" or an extra, in the order
                of the point's `customdata`; or a mapping from names to "x" or "y" of the point.
                Heatmaps report no clicks: lay a scatter over them.
            caption: Key of another caption, or the caption itself.
            of: "journey", or "model" where nothing that is switched off can change the figure.
            hangs_on: All that the chart hangs on beside model and theme, where neither the prompt
                nor what else stands in the link changes it.
            **values: What `{name}` in caption and alt stands for.
        """
        if callable(chart):
            drawn = self.shared(name, lambda: components.drawn(chart()), hangs_on)
        else:
            drawn = components.drawn(chart)
        values = {"about": drawn.about} | values
        key = caption or f"figures.{name}.caption"
        if isinstance(key, Safe):
            shown = key
        else:
            shown = self.text(key, **values) if self.has_text(key) else words.escaped(drawn.about)
        if of == "journey":
            shown = knock_outs.marked(self, shown)
        alt = f"figures.{name}.alt"
        figure.chart(
            f"{self.name}-{name}",
            drawn,
            table,
            clicks=clicks,
            caption=shown,
            alt=_spoken(self.text(alt, **values) if self.has_text(alt) else shown),
        )

    def shared(
        self, name: str, draw: Callable[[], Value], hangs_on: Sequence[object] | None = None
    ) -> Value:
        """A picture as it was drawn for somebody who chose the same, otherwise drawn now.

        Args:
            name: Its name on this page.
            draw: Makes it; it may hang on nothing but what stands in the link, and the theme.
            hangs_on: Beside model and theme, where that is less than the link.
        """
        if hangs_on is None:
            # What the page read when opened, and what its parts read now: a click may have come.
            hangs_on = (self._prompt, self._opened, state.current().said())
        seen = (self.name, name, self._model_name, self.theme.name, *hangs_on)
        return cache.picture(_short(repr(seen)), draw)

    def picture(
        self,
        name: str,
        html: Safe,
        table: Table | Callable[[], Table],
        **values: object,
    ) -> None:
        """The same around a picture in HTML that this package wrote, without PNG and SVG."""
        figure.picture(
            f"{self.name}-{name}", html, table, self.text(f"figures.{name}.caption", **values)
        )

    # Folds

    def formula(
        self,
        latex: str,
        numbers: Sequence[tuple[str, str]] = (),
        *,
        key: str = "formula",
        title: str = "The formula, with this prompt’s numbers",
        **values: object,
    ) -> None:
        r"""A fold with the formula in LaTeX, and a line for each of this prompt's numbers in it.

        Args:
            latex: The formula, without dollars.
            numbers: Pairs of LaTeX: what it is (`W_E[t_i]`), and its numbers (`= 0.12`). Texts of
                tokens go in through `ui.latex`.
            key: Key of a sentence under the formula, if the page's file has it.
            title: What stands on the fold.
            **values: What `{name}` in that sentence stands for.
        """

        def drawn() -> None:
            parts.show_formula(latex, numbers)
            if self.has_text(key) and isinstance(self.texts.get(key), str):
                self.say(key, **values)

        parts.fold(title, drawn, key=f"fold-{self.name}-{title}")

    def source(self, *objects: Any, title: str = "The source that ran") -> None:
        """A fold with the very source of functions, methods or classes, read from the code."""
        parts.fold(title, partial(parts.show_source, objects), key=f"fold-{self.name}-source")

    # Widgets, each bound to the link both ways

    def block_picker(self, label: str = "Block") -> int:
        """Lets the person choose the block; returns it."""
        n = self.model.config.n_layers
        return widgets.pick_number(label, "block", self.block, n)

    def head_picker(self, label: str = "Head") -> int:
        """Lets the person choose the head; returns it."""
        n = self.model.config.n_heads
        return widgets.pick_number(label, "head", self.head, n)

    def slider(
        self,
        name: str,
        label: str,
        low: float,
        high: float,
        default: float,
        step: float | None = None,
        **kwargs: Any,
    ) -> float:
        """A slider whose value is the extra `name` of the link; whole numbers stay whole."""
        return widgets.slider(self.name, name, label, low, high, default, step, **kwargs)

    def choose(
        self,
        name: str,
        label: str,
        options: Mapping[str, str] | Sequence[str],
        default: str | None = None,
        *,
        as_list: bool = False,
        **kwargs: Any,
    ) -> str:
        """One of a few options, as the extra `name` of the link.

        Args:
            name: Name in the link.
            label: What the choice is about.
            options: The values in the link, each with the words on screen if it is a mapping.
            default: The first option unless given.
            as_list: As a list to open instead of buttons side by side, for many options.
            **kwargs: Handed to the widget.
        """
        return widgets.choose(self.name, name, label, options, default, as_list, **kwargs)

    def size(self, name: str, label: str, sizes: Sequence[int], default: int, **kwargs: Any) -> int:
        """A slider over a few whole numbers, as the extra `name` of the link."""
        return widgets.size(self.name, name, label, sizes, default, **kwargs)

    def toggle(self, name: str, label: str, default: bool = False, **kwargs: Any) -> bool:
        """A switch whose position is the extra `name` of the link."""
        return widgets.toggle(self.name, name, label, default, **kwargs)

    def entry(self, name: str, label: str, default: str = "", **kwargs: Any) -> str:
        """A line of text as the extra `name` of the link."""
        return widgets.entry(self.name, name, label, default, **kwargs)

    def extra(
        self, name: str, default: Hashable, parse: Callable[[str], Any]
    ) -> tuple[Any, Callable[[Any], None]]:
        """An extra of the link without a widget: its value, and the function that sets it.

        Args:
            name: Name in the link.
            default: Its value where the link has none; it is then left out of the link.
            parse: Makes the value from its text; raises ValueError for what it cannot use.
        """
        return widgets.extra(name, default, parse)


def _spoken(shown: Safe) -> str:
    """An alternative text. Only the box is called Prompt: by that name it is found and spoken."""
    return re.sub(r"\bprompt", "text", words.plain(shown), flags=re.IGNORECASE)


def _short(said: str) -> bytes:
    """Stands for a text of any length in a key: a link, or what is typed, can be long."""
    return blake2b(said.encode("utf-8", "replace")).digest()


def _sizes(config: GPT2Config) -> dict[str, int]:
    return {name: getattr(config, name) for name in _SIZES}


def open_page(name: str, **values: object) -> Page:
    """Open the page `name`: its texts, the journey on screen, and its header drawn.

    Args:
        name: Name of the page's file in assets/texts.
        **values: What `{name}` in title and sentence stands for. `{token}`, the followed token,
            `{model}`, and `{d_model}` and so on from the configuration are always there.
    """
    page = Page(name)
    known: dict[str, object] = {
        name: f"{size:,}" for name, size in _sizes(page.model.config).items()
    }
    page.header(**(known | {"token": page.token_html, "T": len(page.journey.token_ids)} | values))
    knock_outs.badge(page)
    return page


def refuse(error: TokenJourneyError) -> None:
    """A card in a figure's place that says what happened, what was expected, and what to do."""
    figure.card(str(error))

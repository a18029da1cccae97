'''The house in which pages live; with the pages the only code that imports streamlit.

A page is one file in `pages/`, its texts in `assets/texts/<name>.toml`, and a row in
`tokenjourney.ui.navigation.PAGES`, which is there already for all pages planned: a page appears in
the navigation as soon as its file exists. The frame around it (navigation, prompt, model, presets,
token chips, errors) has run before, so a page always has a journey. A complete page:

    """Positions: where in the text a token stands."""

    from tokenjourney import ui
    from tokenjourney.analysis import position_similarity
    from tokenjourney.figures import position_sum_figure, position_sum_table, similarity_figure

    page = ui.open_page("positions")                       # title, story words, sentence
    page.shapes("(T, d_model)", "(T, d_model)")            # and the same with this prompt's numbers
    journey = page.journey
    token, place = journey["hook_embed"], journey["hook_pos_embed"]

    page.figure(                                           # chart, caption, downloads, table
        "sum",
        lambda: position_sum_figure(token, place, page.labels, followed=page.token,
                                    theme=page.theme),     # once for all who chose the same
        lambda: position_sum_table(token, place, page.labels),  # or (columns, rows)
        clicks="token",                                    # a click follows that token everywhere
    )
    page.look_for(token=page.token_html)

    @ui.part                                               # reruns alone when its widget changes
    def similarity() -> None:
        scale = page.choose("compare", "Compare", {"cos": "angle", "dot": "product"})
        block = page.block_picker()                        # bound to ?block=
        values = position_similarity(page.model.W_pos, scale)
        page.figure("similarity", lambda: similarity_figure(values, theme=page.theme), lambda: ...)

    similarity()
    page.formula(r"x_i = W_E[t_i] + W_{pos}[i]", [(r"x_5", "= [0.017, −0.026, …]")])
    page.source(tj.model.GPT2.forward)

and its texts, in house markup (`**bold**`, `*italics*`, `` `code` ``, `{value}`):

    title = "Where in the text does a token stand?"        # a question
    sentence = "The same word is the same vector everywhere, so ..."
    look_for = "Compare the two {token} rows: ..."
    formula = "One sentence under the formula."            # if wanted
    story.student = "second exam: the uniform"
    story.engine = "..."
    figures.sum.caption = "Every colour is one number of the loaded model."
    figures.sum.alt = "..."                                # if the caption says too little
    sections.similarity.title = "..."                      # page.section("similarity")
    sections.similarity.note = "..."

Rules of the house
- Colours: `theme=page.theme` into every figure function. Streamlit's own chart theme is off.
- Figures have a fixed height in their layout; `page.figure` keeps it.
- Clicks: the points carry `customdata` in the order of `clicks`: "token", "block", "head" or
  names of extras. A click on "token" reruns the whole page, wherever the chart is.
- Widgets of a page go through `page.slider`, `page.choose`, `page.toggle`, `page.entry`: then
  their values are validated and part of the link. `page.extra` is for those without a widget.
  Names of extras are short and in the link, so they are unique among all pages.
- `page.text(key, ...)` gives safe HTML, `page.say(key, ...)` writes it. Texts of a prompt go in as
  values, which are escaped. Never put a prompt's text into `st.markdown`, labels or LaTeX
  unescaped: `ui.latex(text)` for LaTeX, `ui.escaped(text)` for HTML, `ui.plain_label(text)` for
  labels of widgets, `tokenjourney.figures.text.escaped` for Plotly.
- Slow and the same for everybody: `page.remember("map", lambda: ..., of="model")`, kept per model,
  or per model and prompt without `of`.
- Side by side: `left, right = page.columns(2)`, then `with left:`. A list of names in the texts'
  file: `page.text_table("kinds")`. A text for a label or an axis: `page.plain("axis")`.
- A picture that Plotly cannot draw: `page.picture(name, html, table)` with HTML of your own from
  `ui`, where every text of a prompt went through `ui.escaped`.
- Work of seconds goes in steps, each shown in a bar, and calls `ui.serve_click()` after each: it
  ends the run where somebody clicks meanwhile.
- A TokenJourneyError becomes a card: `except tj.TokenJourneyError as error: ui.refuse(error)`.
- Another prompt or edits: `page.other(prompt)`, `page.edited(edits)`; both are cached.
- To change what is chosen from code: `ui.put(token=3)`, `ui.put(prompt="...")`, then `st.rerun()`
  unless it is a callback.
'''

from tokenjourney.ui.page import Page, open_page, refuse
from tokenjourney.ui.parts import part, serve_click
from tokenjourney.ui.state import put
from tokenjourney.ui.text import Safe, escaped, latex, markup, plain_label, token

__all__ = [
    "Page",
    "Safe",
    "escaped",
    "latex",
    "markup",
    "open_page",
    "part",
    "plain_label",
    "put",
    "refuse",
    "serve_click",
    "token",
]

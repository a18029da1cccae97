"""Start: the whole way of one token, from the text to the word that comes out."""

import tokenjourney as tj
from tokenjourney import ui
from tokenjourney.ui import journey_map

page = ui.open_page("start")
journey_map.draw(page)
page.look_for(token=page.token_html, d_model=page.model.config.d_model)
page.section("next")
journey_map.where_next(page)
page.source(tj.trace, tj.model.gpt2.GPT2.residual_stream)

"""Start: the whole way of one token, from the text to the word that comes out."""

from tokenjourney import ui
from tokenjourney.ui import journey_map

page = ui.open_page("start")
journey_map.draw(page)
page.look_for(token=page.token_html)
page.section("next")
journey_map.where_next(page)

"""Figures: arrays and labels in, plotly figures (or image bytes) out.

Every figure function is pure: it reads no state, changes nothing it is given, and takes its
colours from the keyword `theme` ("light", "dark" or a `Theme`).

Shared:
- theme: `Theme`, `LIGHT`, `DARK`, `as_theme`, `css_variables`
- text: `number`, `signed`, `count`, `share`, `escaped`, `token_markup`, `distinct_labels`
- matrices: `symmetric_limit`, `downsampled`

Figures:
- strips (embeddings, positions, block): `strips_figure`, `strips_table`, `window`
- embeddings: `similarity_figure`, `map_figure`
- positions: `position_pictures_figure`, `positions_table`, `distance_figure`, `two_places_figure`
- layers (layers, start): `lens_figure`, `lens_table`, `norms_figure`, `norms_table`, `rank_figure`
- predictions (output): `predictions_figure`, `predictions_table`
- bars (anywhere): `bars_figure`, `pushes_figure`
- export: `Table` (columns, rows), `matrix_table`, `csv_bytes`
- output: `output_figure`, `output_table`
- attention: `attention_matrices_figure`, `attention_table`
- heads (attention): `heads_figure`, `heads_table`, `head_lines_figure`
- attention_card (attention): `attention_card_figure`
"""

"""Figures: arrays and labels in, plotly figures (or image bytes) out.

Every figure function is pure: it reads no state, changes nothing it is given, and takes its
colours from the keyword `theme` ("light", "dark" or a `Theme`). Its table stands beside it.

What they share:

- theme: `Theme`, `LIGHT`, `DARK`, `as_theme`, `css_variables`, `FigureError`
- text: `number`, `signed`, `count`, `memory`, `share`, `points`, `escaped`, `token_markup`,
  `distinct_labels`
- matrices: `symmetric_limit`, `downsampled`
- drawing: `Sketch`, `note`, `heading`, `outline`, `line`, `ground`, `hatching`
- cells: `cells_to_click`, `cell_texts`, `colour_bar`
- depths: `depth_names`, `depth_words`, `depth_axis`, `beside`
- ticks: `labelled_positions`, `row_label`, `tick_texts`
- png: `png`, `png_uri`, `quantised`
- export: `matrix_table`, `csv_bytes`

Several pages:

- bars: `bars_figure`, `pushes_figure`
- strips: `strips_figure`, `strips_table`, `window`
- change: `change_figure`, `change_table`

One page each, in the order of the journey:

- tokens: `counts_figure`, `counts_table`
- lookup (embeddings): `lookup_figure`, `lookup_table`
- embeddings: `similarity_figure`, `map_figure`
- learning (embeddings): `neighbourhoods_figure`, `neighbourhoods_table`
- positions: `position_pictures_figure`, `positions_table`, `distance_figure`, `two_places_figure`
- swap (positions): `swap_figure`, `swap_table`
- block: `steps_figure`, `steps_table`
- layer_norm (block): `layer_norm_figure`, `layer_norm_table`
- attention: `attention_matrices_figure`, `attention_table`
- head_vectors (attention): `head_vectors_figure`, `vectors_table`, `products_table`
- heads (attention): `heads_figure`, `heads_table`
- head_lines (attention): `head_lines_figure`
- feed_forward: `gelu_figure`, `gelu_table`
- layers: `norms_figure`, `norms_table`, `rank_figure`
- lens (layers): `lens_figure`, `lens_table`
- attribution (layers): `attribution_figure`, `attribution_table`
- evidence (layers): `sizes_figure`, `depth_loss_figure`, `substitutes_figure`,
  `substitutes_table`
- rollout (layers): `rollout_figure`, `occlusion_figure`, `rollout_table`
- output: `output_figure`, `output_table`
- readout (output): `readout_figure`, `readout_table`
- predictions (output): `predictions_figure`, `predictions_table`
- tally (output): `tally_figure`
- steps (generation): `steps_figure`, `steps_table`
- tree (generation): `tree_figure`, `tree_table`
- speed (generation, kv_cache): `speed_figure`, `speed_table`
- treemap (parameters): `treemap_figure`
- parameters: `values_figure`, `family_figure`, `family_table`
- row_gradients (training): `row_gradients_figure`, `row_gradients_table`
- error_path (training): `error_path_figure`, `error_path_table`
- learning_curves (training): `loss_curves_figure`, `curves_table`
- gradient_lengths (training): `gradient_lengths_figure`
- moving_map (training): `moving_map_figure`, `moving_map_table`
- patterns (training): `patterns_figure`, `patterns_table`
- growth (training): `stages_figure`, `stages_table`
- compression (bpe): `compression_figure`, `compression_table`
- kept (kv_cache): `kept_figure`, `kept_table`
- latent (latent_attention): `latent_figure`, `latent_table`
- experts (mixture_of_experts): `bulbs_figure`, `bulbs_table`, `loads_figure`
"""

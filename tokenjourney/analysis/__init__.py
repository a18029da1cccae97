"""Analysis: pure functions on arrays, between the Journey and the figures.

Each module serves a question: import from it, for example
`from tokenjourney.analysis.heads import head_scores`.
"""

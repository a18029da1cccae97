"""The model card: what a trained model is, what it was made from, and how well it does."""

from __future__ import annotations

from textwrap import fill

from tokenjourney.beyond.config import BeyondConfig
from tokenjourney.beyond.network import active_parameters
from tokenjourney.generation import generate
from tokenjourney.model.config import GPT2Config
from tokenjourney.model.model import Model
from tokenjourney.training.corpus import END_OF_TEXT, end_of_text_id
from tokenjourney.training.run import Run

SAMPLE_PROMPTS = ("Once upon a time", "The little dog", "Lily and Tom")


def model_card(model: Model, run: Run, bits: float, steps: int, data: str) -> str:
    """The README.md of a checkpoint's folder, in Markdown.

    Args:
        model: The trained model, loaded from that folder.
        run: How it was trained.
        bits: Bits per byte on the held-out text.
        steps: Steps after which the weights were kept.
        data: What the corpus is, whose it is and under which licence.
    """
    config, recipe = model.config, run.recipe
    seen = steps * recipe.batch_size * config.n_ctx
    sizes = (
        f"{config.n_layers} blocks of {config.n_heads} heads, d_model {config.d_model}, "
        f"{_parts(config)}, vocabulary {config.d_vocab:,}, context {config.n_ctx}: "
        f"{model.n_parameters:,} parameters, stored in fp16"
    )
    active = active_parameters(model.network)
    if active < model.n_parameters:
        sizes += f", of which each token meets {active:,}"
    kind = "model beyond GPT-2" if isinstance(config, BeyondConfig) else "GPT-2"
    rates = f"AdamW at {recipe.learning_rate}"
    if recipe.optimizer == "muon":
        rates = f"Muon at {recipe.matrix_rate} for the blocks' matrices, AdamW at "
        rates += f"{recipe.learning_rate} for the rest"
    repeated = run.repetition.passages + run.repetition.shuffled
    samples = "\n\n".join(f"> {told(model, prompt)}" for prompt in SAMPLE_PROMPTS)
    falls = "falling in a cosine" if recipe.schedule == "cosine" else "constant, then falling to 0"
    paragraphs = (
        f"A {kind} that writes little stories, made for looking inside: {sizes}.",
        f"**Data.** {data}",
        f"**Recipe.** Byte-level BPE learned from the corpus, then {steps:,} steps of "
        f"{recipe.batch_size} windows of {config.n_ctx} tokens ({seen / 1e6:.1f} million tokens) "
        f"with {rates}, the rate {falls}, weight decay {recipe.weight_decay}, dropout "
        f"{config.dropout}, seed {recipe.seed}{', bfloat16 products' if recipe.bf16 else ''}. The "
        "weights are those that were best on held-out stories.",
        f"**Repetition.** {repeated:.0%} of the windows repeat a passage within the context "
        f"({run.repetition.passages:.0%} a passage of the corpus, {run.repetition.shuffled:.0%} "
        "tokens drawn from all over it), so that heads learn to look for what came before.",
        f"**Held out.** {bits:.3f} bits per byte on stories that it was never trained on: each "
        f"story alone after one `{END_OF_TEXT}`, its first {config.n_ctx} tokens.",
        "**Samples**, at temperature 0.7, top-p 0.95, seed 0:",
    )
    limits = (
        "**Limits.** It knows a child's words and little else, and repeats its corpus's clichés."
    )
    header = "---\nlicense: cdla-sharing-1.0\nlanguage: en\ntags: [gpt2, token-journey]\n---"
    wrapped = [fill(text, 100, break_on_hyphens=False) for text in paragraphs]
    return "\n\n".join([header, f"# {model.name}", *wrapped, samples, limits]) + "\n"


def _parts(config: GPT2Config) -> str:
    """What attention and feed-forward part are, in words."""
    if not isinstance(config, BeyondConfig):
        return f"d_mlp {config.d_mlp}"
    attention = {
        "mha": "multi-head attention",
        "gqa": f"grouped-query attention with {config.n_kv_heads} heads of keys and values",
        "mqa": "multi-query attention",
        "mla": f"multi-head latent attention (latent {config.d_latent}, rotated key "
        f"{config.d_rope}, query latent {config.d_query_latent})",
    }[config.attention]
    if config.feed_forward != "moe":
        return f"{attention}, d_mlp {config.d_mlp}"
    return (
        f"{attention}, a mixture of {config.n_experts} experts of width {config.d_expert}, "
        f"{config.top_k} for each token from {config.top_groups} of {config.n_groups} groups, and "
        f"{config.n_shared} that all share"
    )


def told(model: Model, prompt: str, max_new_tokens: int = 90) -> str:
    """A sample as text: the prompt as a story's beginning, and what the model makes of it."""
    assert model.tokenizer is not None
    end = end_of_text_id(model.tokenizer)
    ids = [end, *model.tokenizer.encode(prompt)][: model.config.n_ctx // 2]
    steps = generate(model, ids, max_new_tokens, 0.7, top_p=0.95, stop_ids={end})
    new = [step.token.id for step in steps if step.token.id != end]
    text = prompt + model.tokenizer.decode(new)
    return text.replace("\n", "\n> ") + ("" if text.endswith((".", '"', "!", "?")) else " …")

"""The command line: `python -m tokenjourney --help`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import tokenjourney as tj
from tokenjourney.analysis.experts import expert_survey, save_expert_survey
from tokenjourney.analysis.head_averages import head_averages, save_head_averages
from tokenjourney.analysis.heads import KINDS
from tokenjourney.beyond.config import BeyondConfig
from tokenjourney.model.config import GPT2Config
from tokenjourney.model.loading import checkpoint_folder
from tokenjourney.model.packing import WEIGHTS
from tokenjourney.training.card import model_card
from tokenjourney.training.corpus import Repetition, read_stories
from tokenjourney.training.evaluate import bits_per_byte, greedy_agreement, need_tokenizer
from tokenjourney.training.loop import Recipe
from tokenjourney.training.progress import read_facts
from tokenjourney.training.run import Run, publish, publish_steps, train

_AGREEMENT_STORIES = 10  # these are walked through token by token


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Returns:
        0, or 1 where a TokenJourneyError was printed, or 2 where the arguments make no sense.
    """
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except tj.TokenJourneyError as error:
        print(f"tokenjourney: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    return 0


def _trace(options: argparse.Namespace) -> None:
    journey = tj.trace(tj.load_model(options.model), options.prompt)
    print(f"{len(journey)} tokens through {journey.model_name}")
    for position, token in enumerate(journey.tokens):
        print(f"{position:5}  {token.id:6}  {token.text!r}")
    print("next token")
    for guess in journey.next_tokens(k=options.k):
        print(f"{guess.probability:7.1%}  {guess.token_id:6}  {guess.text!r}")
    if options.save:
        journey.save(options.save)
        print(f"saved as {options.save}")


def _generate(options: argparse.Namespace) -> None:
    model = tj.load_model(options.model, weights=options.weights)
    steps = tj.generate(
        model,
        options.prompt,
        options.max_new_tokens,
        options.temperature,
        options.top_k,
        options.top_p,
        options.seed,
    )
    print(options.prompt, end="", flush=True)
    stopped = None
    for step in steps:
        print(step.text, end="", flush=True)
        stopped = step.stopped
    print(f"\n[stopped: {stopped}]" if stopped else "", file=sys.stderr)


def _report(options: argparse.Namespace) -> None:
    from tokenjourney.report import html_report  # plotly comes along

    journey = tj.trace(tj.load_model(options.model), options.prompt)
    page = html_report(journey, options.block, options.head, options.theme)
    try:
        options.out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise tj.TokenJourneyError(f"Cannot write {options.out}: {error}") from error
    print(f"written to {options.out}")


def _models(_: argparse.Namespace) -> None:
    from tokenjourney.ui.models import (
        offers,
    )  # streamlit comes along, which others need not wait for

    for offer in offers().values():
        print(f"{offer.name:16} {offer.title:16} {offer.size}")


def _evaluate(options: argparse.Namespace) -> None:
    model = tj.load_model(options.model, weights=options.weights)
    stories = read_stories([options.corpus])
    bits = bits_per_byte(model.network, need_tokenizer(model), stories)
    print(f"{bits:.4f} bits per byte on {len(stories):,} stories of {options.corpus}")
    if options.weights != "fp32":
        same = greedy_agreement(model, tj.load_model(options.model), stories[:_AGREEMENT_STORIES])
        print(f"{same:.2%} of the tokens that it finds most probable are those of fp32")


def _heads(options: argparse.Namespace) -> None:
    folder = checkpoint_folder(options.model)
    model = tj.load_model(options.model)
    averages = head_averages(model)
    path = save_head_averages(averages, model, folder)
    for row, kind in enumerate(KINDS):
        scores = averages.scores.values[row]
        block, head = divmod(int(scores.argmax()), model.config.n_heads)
        print(f"{kind:10} strongest in block {block} head {head}: {scores[block, head]:.2f}")
    print(f"written to {path}")


def _experts(options: argparse.Namespace) -> None:
    folder = checkpoint_folder(options.model)
    survey = expert_survey(tj.load_model(options.model), read_stories([options.corpus]))
    path = save_expert_survey(survey, folder)
    for block, (found, chance) in enumerate(zip(survey.information, survey.shuffled, strict=True)):
        busiest = survey.loads[block].max() / survey.loads[block].mean()
        unbiased = survey.unbiased[block].max() / survey.unbiased[block].mean()
        print(
            f"block {block}: the token tells {found:.2f} bits about the expert ({chance:.2f} by "
            f"chance); busiest expert {busiest:.2f} of its share, {unbiased:.2f} without the bias"
        )
    print(f"written to {path}")


def _train(options: argparse.Namespace) -> None:
    work = options.work or options.out.with_name(options.out.name + ".training")
    run = Run(
        corpus=options.corpus,
        validation=options.validation,
        work=work,
        config=_sizes(options),
        recipe=Recipe(
            steps=options.steps,
            batch_size=options.batch_size,
            learning_rate=options.learning_rate,
            matrix_rate=options.matrix_rate,
            optimizer=options.optimizer,
            schedule=options.schedule,
            warmup=options.warmup,
            decay_share=options.decay_share,
            weight_decay=options.weight_decay,
            bf16=options.bf16,
            seed=options.seed,
            balance_rate=options.balance_rate,
        ),
        repetition=Repetition(options.repeat_passages, options.repeat_shuffled),
        extra=options.extra,
        evaluate_every=options.evaluate_every,
        patience=options.patience,
        keep_steps=options.keep_steps,
    )
    best = train(run)
    facts = read_facts(best)
    publish(best, run, options.out, "")
    model = tj.load_model(str(options.out))
    assert model.tokenizer is not None
    bits = bits_per_byte(model.network, model.tokenizer, read_stories([options.validation]))
    card = model_card(model, run, bits, facts["step"], options.data)
    save_head_averages(head_averages(model), model, options.out)
    (options.out / "README.md").write_text(card, encoding="utf-8")
    if run.keep_steps:
        publish_steps(run, options.out)
    print(f"{options.out}: {bits:.4f} bits per byte on {options.validation}")


def _sizes(options: argparse.Namespace) -> GPT2Config:
    sizes = {
        "n_layers": options.layers,
        "n_heads": options.heads,
        "d_model": options.d_model,
        "d_vocab": options.vocabulary,
        "n_ctx": options.context,
        "dropout": options.dropout,
    }
    if options.attention == "mha" and options.feed_forward == "mlp":
        return GPT2Config(**sizes)
    return BeyondConfig(
        **sizes,
        attention=options.attention,
        n_kv_heads=options.kv_heads,
        d_latent=options.d_latent,
        d_query_latent=options.d_query_latent,
        d_rope=options.d_rope,
        d_nope=options.d_model // options.heads,
        d_value=options.d_model // options.heads,
        feed_forward=options.feed_forward,
        n_experts=options.experts,
        top_k=options.top_k,
        n_shared=options.shared_experts,
        d_expert=options.d_expert,
        n_groups=options.expert_groups,
        top_groups=options.top_groups,
        router=options.router,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tokenjourney", description="Ride along with the tokens of a prompt."
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name: str, what: str, run: object) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name,
            help=what,
            description=what,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        made.set_defaults(run=run)
        return made

    def model_option(made: argparse.ArgumentParser) -> None:
        made.add_argument("--model", help="a Hub id or a local folder; the bundled one if left out")

    def weights_option(made: argparse.ArgumentParser) -> None:
        what = "what the network computes with: bf16 and int8 are rounded, and generate quicker"
        made.add_argument("--weights", choices=WEIGHTS, default="fp32", help=what)

    tracing = command("trace", "Trace a prompt and print its tokens and the next one", _trace)
    tracing.add_argument("prompt")
    model_option(tracing)
    tracing.add_argument("--k", type=int, default=10, help="how many candidates to print")
    tracing.add_argument("--save", type=Path, help="write the Journey to this safetensors file")

    generating = command("generate", "Go on from a prompt", _generate)
    generating.add_argument("prompt")
    model_option(generating)
    weights_option(generating)
    generating.add_argument("--max-new-tokens", type=int, default=50)
    generating.add_argument("--temperature", type=float, default=1.0, help="0 is greedy")
    generating.add_argument("--top-k", type=int)
    generating.add_argument("--top-p", type=float)
    generating.add_argument("--seed", type=int, default=0)

    reporting = command("report", "Write a prompt's journey as one HTML file", _report)
    reporting.add_argument("prompt")
    model_option(reporting)
    reporting.add_argument("--out", type=Path, default=Path("journey.html"))
    reporting.add_argument("--block", type=int, default=0)
    reporting.add_argument("--head", type=int, default=0)
    reporting.add_argument("--theme", choices=["light", "dark"], default="light")

    command("models", "List the models that can be loaded by name", _models)

    naming = command("heads", "Measure what each head does, and store it by the checkpoint", _heads)
    model_option(naming)

    routing = command("experts", "Count which expert gets which token of a text", _experts)
    routing.add_argument("corpus", type=Path, help="stories between lines of <|endoftext|>")
    model_option(routing)

    measuring = command("evaluate", "Measure bits per byte on a held-out text", _evaluate)
    measuring.add_argument("corpus", type=Path, help="stories between lines of <|endoftext|>")
    model_option(measuring)
    weights_option(measuring)

    _add_train(command("train", "Train BPE and a GPT-2 from a plain text file", _train))
    return parser


def _add_train(made: argparse.ArgumentParser) -> None:
    add = made.add_argument
    add("--corpus", type=Path, nargs="+", required=True, help="text files to learn from")
    add("--extra", type=Path, nargs="*", default=[], help="more, not used for the vocabulary")
    add("--validation", type=Path, required=True, help="text file never trained on")
    add("--out", type=Path, required=True, help="folder to write, in Hugging Face's layout")
    add("--work", type=Path, help="folder for progress, to resume from; OUT.training if left out")
    add("--data", default="", help="for the model card: what the corpus is, and its licence")
    add("--layers", type=int, default=6)
    add("--heads", type=int, default=6)
    add("--d-model", type=int, default=192)
    add("--vocabulary", type=int, default=2048)
    add("--context", type=int, default=256)
    add("--dropout", type=float, default=0.05)
    add("--attention", choices=["mha", "mqa", "gqa", "mla"], default="mha", help="GPT-2's is mha")
    add("--kv-heads", type=int, default=2, help="gqa: heads with keys and values of their own")
    add("--d-latent", type=int, default=32, help="mla: latent of keys and values")
    add("--d-query-latent", type=int, default=64, help="mla: latent of queries; 0 for none")
    add("--d-rope", type=int, default=16, help="mla: numbers that know the position")
    add("--feed-forward", choices=["mlp", "swiglu", "moe"], default="mlp", help="GPT-2's is mlp")
    add("--experts", type=int, default=16, help="moe: routed experts of a block")
    add("--top-k", type=int, default=4, help="moe: routed experts of a token")
    add("--shared-experts", type=int, default=1, help="moe: experts of every token")
    add("--d-expert", type=int, default=64, help="moe: width of an expert")
    add("--expert-groups", type=int, default=4, help="moe: groups of experts")
    add("--top-groups", type=int, default=2, help="moe: groups that a token's experts come from")
    add("--router", choices=["sigmoid", "softmax"], default="sigmoid", help="moe")
    add("--balance-rate", type=float, default=0.003, help="moe: change of a bias in one step")
    add("--steps", type=int, default=6000)
    add("--batch-size", type=int, default=16)
    add("--optimizer", choices=["muon", "adamw"], default="muon")
    add("--learning-rate", type=float, default=4e-3, help="peak rate of AdamW")
    add("--matrix-rate", type=float, default=6e-3, help="peak rate of Muon")
    add("--schedule", choices=["cosine", "wsd"], default="cosine")
    add("--warmup", type=int, default=100)
    add("--decay-share", type=float, default=0.35, help="share of the steps in which wsd falls")
    add("--weight-decay", type=float, default=0.1)
    add("--bf16", action="store_true", help="matrix products in bfloat16")
    add("--seed", type=int, default=0)
    add("--repeat-passages", type=float, default=0.03, help="share of windows that repeat text")
    add("--repeat-shuffled", type=float, default=0.03, help="share that repeat random tokens")
    add("--evaluate-every", type=int, default=250, help="steps between two measurements")
    add("--patience", type=int, default=8, help="measurements without a new best before stopping")
    add("--keep-steps", type=int, nargs="*", default=[], help="also keep the weights after these")


if __name__ == "__main__":
    sys.exit(main())

"""The same numbers as the DeepSeek models of transformers, on random weights mapped onto ours."""

import numpy as np
import pytest
import torch

import tokenjourney as tj
from tests.parity import both, close
from tokenjourney.beyond import BeyondConfig, make_network

SIZES = {
    "vocab_size": 97,
    "hidden_size": 48,
    "intermediate_size": 40,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "kv_lora_rank": 16,
    "qk_nope_head_dim": 12,
    "qk_rope_head_dim": 8,
    "v_head_dim": 10,
    "moe_intermediate_size": 20,
    "n_routed_experts": 16,
    "num_experts_per_tok": 4,
    "n_shared_experts": 2,
    "n_group": 4,
    "topk_group": 2,
    "first_k_dense_replace": 1,
    "max_position_embeddings": 64,
}
CASES = {
    "V3": ("DeepseekV3", {"q_lora_rank": 24, "routed_scaling_factor": 2.5}),
    "V3 without query latent": ("DeepseekV3", {"q_lora_rank": None, "norm_topk_prob": False}),
    "V2": (
        "DeepseekV2",
        {"q_lora_rank": 24, "topk_method": "group_limited_greedy", "routed_scaling_factor": 1.5},
    ),
    "V2 without groups": ("DeepseekV2", {"q_lora_rank": 24, "topk_method": "greedy"}),
}


def random_deepseek(family, options):
    import transformers

    config = getattr(transformers, f"{family}Config")(**(SIZES | options))
    config._attn_implementation = "eager"
    model = getattr(transformers, f"{family}ForCausalLM")(config).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            centre = 1.0 if "norm" in name else 0.0
            parameter.normal_(centre, 0.2, generator=generator)
        for name, buffer in model.named_buffers():
            if name.endswith("e_score_correction_bias"):
                buffer.normal_(0, 0.1, generator=generator)
    return model


def our_config(family, theirs):
    grouped = family == "DeepseekV3" or theirs.topk_method == "group_limited_greedy"
    return BeyondConfig(
        n_layers=theirs.num_hidden_layers,
        n_heads=theirs.num_attention_heads,
        d_model=theirs.hidden_size,
        d_vocab=theirs.vocab_size,
        n_ctx=theirs.max_position_embeddings,
        d_mlp=theirs.intermediate_size,
        layer_norm_eps=theirs.rms_norm_eps,
        tied=False,
        norm="rms",
        attention="mla",
        d_latent=theirs.kv_lora_rank,
        d_query_latent=theirs.q_lora_rank or 0,
        d_nope=theirs.qk_nope_head_dim,
        d_rope=theirs.qk_rope_head_dim,
        d_value=theirs.v_head_dim,
        rope_base=theirs.rope_parameters["rope_theta"],
        feed_forward="moe",
        n_experts=theirs.n_routed_experts,
        top_k=theirs.num_experts_per_tok,
        n_shared=theirs.n_shared_experts,
        d_expert=theirs.moe_intermediate_size,
        n_groups=theirs.n_group if grouped else 1,
        top_groups=theirs.topk_group if grouped else 1,
        n_dense=theirs.first_k_dense_replace,
        router="sigmoid" if family == "DeepseekV3" else "softmax",
        normalise_gates=family == "DeepseekV3" and theirs.norm_topk_prob,
        gate_scale=theirs.routed_scaling_factor,
    )


def mapped_weights(theirs, config):
    """Their tensors by our names. Theirs are (out, in), and several are stacked."""
    found = {"W_E": theirs["model.embed_tokens.weight"], "W_U_untied": theirs["lm_head.weight"]}
    found["ln_final.gain"] = theirs["model.norm.weight"]
    for block in range(config.n_layers):
        them, us = f"model.layers.{block}", f"blocks.{block}"
        found[f"{us}.ln1.gain"] = theirs[f"{them}.input_layernorm.weight"]
        found[f"{us}.ln2.gain"] = theirs[f"{them}.post_attention_layernorm.weight"]
        attention = mapped_attention(theirs, config, f"{them}.self_attn")
        found |= {f"{us}.attn.{name}": value for name, value in attention.items()}
        feed_forward = mapped_feed_forward(theirs, config, f"{them}.mlp", block)
        found |= {f"{us}.mlp.{name}": value for name, value in feed_forward.items()}
    return found


def mapped_attention(theirs, config, them):
    heads, d_nope = config.n_heads, config.d_nope
    down = theirs[f"{them}.kv_a_proj_with_mqa.weight"]
    up = theirs[f"{them}.kv_b_proj.weight"].unflatten(0, (heads, -1))
    compressed = config.d_query_latent > 0
    query = theirs[f"{them}.q_b_proj.weight" if compressed else f"{them}.q_proj.weight"]
    query = query.unflatten(0, (heads, -1))
    found = {
        "down_kv.weight": down[: config.d_latent].T,
        "rot_k.weight": down[config.d_latent :].T,
        "norm_kv.gain": theirs[f"{them}.kv_a_layernorm.weight"],
        "up_k.weight": up[:, :d_nope].flatten(0, 1).T,
        "up_v.weight": up[:, d_nope:].flatten(0, 1).T,
        "up_q.weight": query[:, :d_nope].flatten(0, 1).T,
        "rot_q.weight": query[:, d_nope:].flatten(0, 1).T,
        "out.weight": theirs[f"{them}.o_proj.weight"].T,
    }
    if compressed:
        found["down_q.weight"] = theirs[f"{them}.q_a_proj.weight"].T
        found["norm_q.gain"] = theirs[f"{them}.q_a_layernorm.weight"]
    return found


def mapped_feed_forward(theirs, config, them, block):
    def gated(name, inside=""):
        return {
            f"{inside}{part}.weight": theirs[f"{name}.{part}_proj.weight"].T
            for part in ("gate", "up", "down")
        }

    if block < config.n_dense:
        return gated(them)
    found = gated(f"{them}.shared_experts", "shared.")
    found["router.centroids.weight"] = theirs[f"{them}.gate.weight"].T
    bias = theirs.get(f"{them}.gate.e_score_correction_bias")
    found["router.bias"] = torch.zeros(config.n_experts) if bias is None else bias
    for index in range(config.n_experts):
        gate, up = theirs[f"{them}.experts.gate_up_proj"][index].chunk(2)
        found[f"experts.{index}.gate.weight"], found[f"experts.{index}.up.weight"] = gate.T, up.T
        found[f"experts.{index}.down.weight"] = theirs[f"{them}.experts.down_proj"][index].T
    return found


@pytest.fixture(scope="module", params=CASES)
def pair(request):
    family, options = CASES[request.param]
    theirs = random_deepseek(family, options)
    config = our_config(family, theirs.config)
    network = make_network(config).eval()
    network.load_state_dict(mapped_weights(theirs.state_dict(), config), strict=True)
    network.requires_grad_(False)
    ids = torch.randint(97, (1, 33), generator=torch.Generator().manual_seed(1))
    return theirs, tj.Model("ours", network), ids


@pytest.fixture(scope="module")
def runs(pair):
    theirs, ours, ids = pair
    return both(theirs, theirs.model.layers[-1], ours, ids)


def test_the_residual_stream_of_every_block(runs):
    outputs, last, journey = runs
    for block in range(3):
        close(journey["resid_pre", block], outputs.hidden_states[block][0].numpy())
    close(journey["resid_post", 2], last)
    assert np.abs(last - outputs.hidden_states[0][0].numpy()).mean() > 0.1


def test_every_attention_pattern(runs):
    outputs, _, journey = runs
    for block, theirs in enumerate(outputs.attentions):
        close(journey["pattern", block], theirs[0].numpy(), 1e-5)
        assert theirs[0, :, -1].max(dim=-1).values.mean() > 2 / 33


def test_logits_of_every_position(runs):
    outputs, _, journey = runs
    close(journey.logits, outputs.logits[0].numpy())


def test_the_experts_that_are_chosen_and_their_gates(pair, runs):
    theirs, _, _ = pair
    _, _, journey = runs
    for block in (1, 2):
        mlp = theirs.model.layers[block].mlp
        with torch.no_grad():
            _, weights, indices = mlp.gate(torch.tensor(journey["ln2.normalized", block]))
        expected = torch.zeros(33, 16).scatter(1, indices, weights)
        close(journey["gates", block], expected.numpy())


def test_decoding_through_the_small_cache_gives_their_logits(pair, runs):
    _, ours, ids = pair
    outputs, _, _ = runs
    journey = tj.trace(ours, ids[0, :20].tolist())
    for position in range(20, 33):
        journey = journey.extend(int(ids[0, position]))
        close(journey.logits_at(), outputs.logits[0, position].numpy())

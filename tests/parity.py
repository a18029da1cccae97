"""What the tests against models of transformers share."""

import numpy as np
import torch

import tokenjourney as tj


def close(ours, theirs, tolerance=1e-4):
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def both(theirs, last_block, ours, ids):
    """Their outputs for IDs (1, T), what their last block gives, and our Journey."""
    last = []
    handle = last_block.register_forward_hook(
        lambda _module, _inputs, output: last.append(
            output[0] if isinstance(output, tuple) else output
        )
    )
    with torch.no_grad():
        outputs = theirs(ids, output_hidden_states=True, output_attentions=True)
    handle.remove()
    return outputs, last[0][0].numpy(), tj.trace(ours, ids[0].tolist())

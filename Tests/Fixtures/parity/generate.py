"""Writes the tiny models and reference figures that the tests of this project compare with.

    python3 -m venv venv
    venv/bin/pip install torch==2.13.0 transformers==5.23.0 safetensors==0.8.0 numpy
    venv/bin/python generate.py OUTPUT_FOLDER

makes OUTPUT_FOLDER/NAME for `qwen2-tied`, `llama3-untied` and `qwen3-headdim`:

config.json, model.safetensors
    A random model of that architecture in float32, as transformers saves it.

reference.safetensors (B = 2 rows of T = 23 tokens)
    input_ids, labels    [B, T] int32; prompt and padding have the label -100
    logits               [B, T, vocabulary]
    next_token_logprobs  [B, T - 1]: log-probability of token t + 1 at position t
    grad.NAME            gradient of the loss for every parameter of model.safetensors
    packed.documents     [19] int32: two documents end to end; packed.lengths [2] int32: 12 and 7
    packed.logits        [19, vocabulary]: the logits of each document on its own
    greedy.prompt        [7] int32; greedy.completion [24] int32: the likeliest token, 24 times

reference.json
    supervised_tokens; loss (mean over the supervised tokens, label t + 1 at position t); adamw: the
    losses and gradient norms (before clipping) of 10 steps on the same rows, and their settings

Everything is computed by PyTorch in float32 on one thread with transformers' "eager" attention.
Weights and token ids are the same wherever this runs; the last bits of the figures are not.
The sizes of each model (vocabulary, width, feed-forward, T) are pairwise coprime, so that a swapped
axis cannot go unnoticed, and the seeds are chosen so that the greedy completion is varied and the
likeliest token leads by at least 0.02.
"""

import json
import os
import sys

import torch
from safetensors.torch import save_file
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

T = 23
UNSUPERVISED = -100

# name: (configuration class, model class, settings, seed)
MODELS = {
    "qwen2-tied": (
        Qwen2Config,
        Qwen2ForCausalLM,
        dict(
            vocab_size=61,
            hidden_size=24,
            intermediate_size=35,
            num_hidden_layers=2,
            num_attention_heads=6,
            num_key_value_heads=2,
            tie_word_embeddings=True,
            max_position_embeddings=512,
            rope_parameters={"rope_type": "default", "rope_theta": 1e6},
            rms_norm_eps=1e-6,
        ),
        21,
    ),
    # Of the four rotary frequencies the scaling keeps one, blends one and divides two by 8.
    "llama3-untied": (
        LlamaConfig,
        LlamaForCausalLM,
        dict(
            vocab_size=59,
            hidden_size=24,
            intermediate_size=25,
            num_hidden_layers=2,
            num_attention_heads=3,
            num_key_value_heads=1,
            tie_word_embeddings=False,
            max_position_embeddings=2048,
            rope_parameters={
                "rope_type": "llama3",
                "factor": 8.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 256,
                "rope_theta": 500000.0,
            },
            rms_norm_eps=1e-5,
        ),
        16,
    ),
    # Four heads of 8 in a width of 21: the heads together are wider than the model.
    "qwen3-headdim": (
        Qwen3Config,
        Qwen3ForCausalLM,
        dict(
            vocab_size=67,
            hidden_size=21,
            intermediate_size=25,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=8,
            tie_word_embeddings=True,
            max_position_embeddings=512,
            rope_parameters={"rope_type": "default", "rope_theta": 1e6},
            rms_norm_eps=1e-6,
        ),
        1,
    ),
}


def make_model(Config, Model, settings):
    """A model with weights large enough that every gain, bias and position shows in the logits.

    A tied model whose embedding is as large as its blocks would repeat its last token forever.
    """
    config = Config(**settings, bos_token_id=1, eos_token_id=2)
    config._attn_implementation = "eager"
    model = Model(config).float()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.ndim == 1:
                p.add_(torch.randn_like(p) * 0.2)
            else:
                scale = 0.6 if "embed_tokens" in name or "lm_head" in name else 1.2
                p.copy_(torch.randn_like(p) * (scale / p.shape[-1] ** 0.5))
    return model


def loss_of(logits, labels):
    """The mean cross-entropy of label t + 1 at position t, over the supervised labels."""
    return torch.nn.functional.cross_entropy(
        logits[:, :-1].reshape(-1, logits.shape[-1]),
        labels[:, 1:].reshape(-1),
        ignore_index=UNSUPERVISED,
    )


def greedy_completion(model, prompt, count):
    """The likeliest token, `count` times, each found by a whole forward pass; and the closest lead."""
    row, lead = prompt, float("inf")
    for _ in range(count):
        best = model(input_ids=row[None]).logits[0, -1].topk(2)
        lead = min(lead, (best.values[0] - best.values[1]).item())
        row = torch.cat([row, best.indices[:1]])
    return row[len(prompt) :], lead


def train(model, ids, labels, steps=10):
    """Losses and gradient norms of AdamW; only matrices decay."""
    settings = {
        "learning_rate": 1e-3,
        "betas": [0.9, 0.95],
        "epsilon": 1e-8,
        "weight_decay_matrices": 0.1,
        "weight_decay_vectors": 0.0,
        "clip_norm": 1.0,
    }
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim == 1]
    optimizer = torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": settings["weight_decay_matrices"]},
            {"params": vectors, "weight_decay": settings["weight_decay_vectors"]},
        ],
        lr=settings["learning_rate"],
        betas=settings["betas"],
        eps=settings["epsilon"],
    )
    losses, norms = [], []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_of(model(input_ids=ids).logits, labels)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), settings["clip_norm"])
        losses.append(loss.item())
        norms.append(norm.item())
        optimizer.step()
    return {**settings, "losses": losses, "gradient_norms": norms}


def write(folder, Config, Model, settings, seed):
    torch.manual_seed(seed)
    model = make_model(Config, Model, settings)
    model.save_pretrained(folder)
    os.remove(os.path.join(folder, "generation_config.json"))

    ids = torch.randint(0, settings["vocab_size"], (2, T))
    labels = ids.clone()
    labels[:, : T // 3] = UNSUPERVISED  # the prompt
    labels[1, T - 5 :] = UNSUPERVISED  # padding
    logits = model(input_ids=ids).logits
    loss = loss_of(logits, labels)
    loss.backward()
    logprobs = logits.double().log_softmax(-1)[:, :-1].gather(-1, ids[:, 1:, None])[..., 0]
    documents = [ids[0, : T // 2 + 1], ids[1, : T // 3]]
    with torch.no_grad():
        alone = [model(input_ids=document[None]).logits[0] for document in documents]
        completion, lead = greedy_completion(model, ids[0, :7], 24)
    distinct = len(set(completion.tolist()))
    if lead < 0.02 or distinct < 8:
        sys.exit(f"{folder}: choose another seed: lead {lead}, {distinct} distinct tokens")

    tensors = {
        "input_ids": ids.int(),
        "labels": labels.int(),
        "logits": logits.detach(),
        "next_token_logprobs": logprobs.float().detach(),
        "packed.documents": torch.cat(documents).int(),
        "packed.lengths": torch.tensor([len(document) for document in documents]).int(),
        "packed.logits": torch.cat(alone),
        "greedy.prompt": ids[0, :7].int(),
        "greedy.completion": completion.int(),
    }
    for name, p in model.named_parameters():
        tensors["grad." + name] = p.grad
    tensors = {name: tensor.contiguous().clone() for name, tensor in tensors.items()}
    save_file(tensors, os.path.join(folder, "reference.safetensors"))

    reference = {
        "supervised_tokens": int((labels[:, 1:] != UNSUPERVISED).sum()),
        "loss": loss.item(),
        "adamw": train(model, ids, labels),
    }
    with open(os.path.join(folder, "reference.json"), "w") as file:
        json.dump(reference, file, indent=1)
        file.write("\n")
    size = sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder))
    print(
        f"{folder}: {size} bytes, loss {reference['loss']:.4f}, after 10 steps"
        f" {reference['adamw']['losses'][-1]:.4f}, lead {lead:.4f}, {distinct} distinct tokens"
    )


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: generate.py OUTPUT_FOLDER")
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    for name, model in MODELS.items():
        write(os.path.join(sys.argv[1], name), *model)


if __name__ == "__main__":
    main()

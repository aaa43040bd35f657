"""Writes understood.json: what Hugging Face's transformers reads in the files of this folder.

Run by hand, with torch and transformers, in this folder:

    python generate.py

For every file: the values that the configuration then has, and all parameters that the model
then has, in order; of models with many layers only their number.
"""

import json
import logging
import tempfile
from pathlib import Path

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM

KEYS = [
    "model_type", "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers",
    "num_attention_heads", "num_key_value_heads", "max_position_embeddings", "rms_norm_eps",
    "initializer_range", "tie_word_embeddings", "bos_token_id", "eos_token_id", "pad_token_id",
    "attention_dropout", "rope_parameters",
]  # fmt: skip


def understood(path):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.json").write_text(path.read_text())
        config = AutoConfig.from_pretrained(folder)
    values = {key: getattr(config, key) for key in KEYS}
    values["dtype"] = config.dtype and str(config.dtype).removeprefix("torch.")
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    values["head_dim"] = model.model.layers[0].self_attn.head_dim
    values["architecture"] = type(model).__name__
    parameters = [(name, list(p.shape)) for name, p in model.named_parameters()]
    values["parameter_count"] = sum(p.numel() for p in model.parameters())
    if config.num_hidden_layers <= 3:
        values["parameters"] = [f"{name} {shape}" for name, shape in parameters]
    return values


def main():
    folder = Path(__file__).parent
    files = sorted(p for kind in ("made", "published", "sparse") for p in (folder / kind).iterdir())
    origin = f"transformers {transformers.__version__}, torch {torch.__version__}"
    models = {str(p.relative_to(folder)): understood(p) for p in files}
    text = json.dumps({"origin": origin, "models": models}, indent=1)
    (folder / "understood.json").write_text(text + "\n")
    print(len(models), "files")


logging.disable(logging.WARNING)
main()

"""Writes a small random model, adapters for it, and what PEFT makes of both.

Run by hand, with torch, transformers and peft, in this folder:

    python generate.py

base/
    A random Qwen2 model of three layers in float32, as transformers saves it. Its sizes are such
    that no projection is square.

NAME/adapter_config.json, NAME/adapter_model.safetensors
    A LoRA adapter with random A and B, as PEFT saves it.

NAME/merged.safetensors
    The weights that `merge_and_unload` changes, by their names in the merged model.
    For `bfloat16` the base was rounded to bfloat16 before.

selections.json
    Which modules of the base model some choices of modules select, by PEFT's
    `check_target_module_exists`, and which ranks a `rank_pattern` gives, by its `get_pattern_key`.
"""

import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from peft import LoraConfig, get_peft_model
from peft.tuners.tuners_utils import _ExcludedModule, check_target_module_exists
from peft.utils.other import get_pattern_key
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, Qwen2Config, Qwen2ForCausalLM

torch.set_num_threads(1)
HERE = Path(__file__).parent

SIZES = dict(
    vocab_size=31,
    hidden_size=21,
    intermediate_size=25,
    num_hidden_layers=3,
    num_attention_heads=3,
    num_key_value_heads=1,
    head_dim=10,
    tie_word_embeddings=True,
    max_position_embeddings=128,
    rope_parameters={"rope_type": "default", "rope_theta": 1e4},
)

# name: (settings, type of the stored A and B, type of the base)
ADAPTERS = {
    "all-linear": (
        dict(r=3, lora_alpha=7, lora_dropout=0.05, target_modules="all-linear"),
        torch.float32,
        torch.float32,
    ),
    "rank-stabilized": (
        dict(
            r=5,
            lora_alpha=8,
            use_rslora=True,
            target_modules=["q_proj", "v_proj", "mlp.up_proj"],
            rank_pattern={"v_proj": 2, r"^model\.layers\.2\..*up_proj": 7},
            alpha_pattern={r"layers\.[12]\.self_attn\.q_proj": 3},
        ),
        torch.float32,
        torch.float32,
    ),
    "pattern": (
        dict(
            r=2,
            lora_alpha=1,
            target_modules=r".*\.(?:0|2)\.(self_attn\.[kv]_proj|mlp\.(?!up)\w+_proj)",
        ),
        torch.bfloat16,
        torch.float32,
    ),
    "some-layers": (
        dict(
            r=4,
            lora_alpha=16,
            target_modules=["o_proj", "down_proj", "model.layers.1.self_attn.k_proj"],
            exclude_modules=["2.mlp.down_proj"],
            layers_to_transform=[0, 2],
        ),
        torch.float16,
        torch.float32,
    ),
    "bfloat16": (
        dict(r=6, lora_alpha=12, target_modules=["q_proj", "o_proj", "gate_proj", "down_proj"]),
        torch.float32,
        torch.bfloat16,
    ),
}

# Every member that is not given is None.
SELECTIONS = [
    dict(target_modules=["q_proj", "v_proj"]),
    dict(target_modules=["self_attn.q_proj"]),
    dict(target_modules=["attn.q_proj"]),
    dict(target_modules=["proj"]),
    dict(target_modules=["0.mlp.up_proj", "model.layers.2.mlp.gate_proj", "layers.1.mlp.down_proj"]),
    dict(target_modules=["lm_head"]),
    dict(target_modules=["embed_tokens", "o_proj"]),
    dict(target_modules=["model.embed_tokens"]),
    dict(target_modules=["norm"]),
    dict(target_modules=["mlp"]),
    dict(target_modules=["q_proj"], layers_to_transform=1),
    dict(target_modules=["q_proj"], layers_to_transform=0),
    dict(target_modules=["q_proj"], layers_to_transform=[0, 2]),
    dict(target_modules=["q_proj"], layers_to_transform=[]),
    dict(target_modules=["q_proj", "model.layers.1.mlp.up_proj"], layers_to_transform=[0]),
    dict(target_modules=["q_proj"], layers_to_transform=[1], layers_pattern="layers"),
    dict(target_modules=["q_proj"], layers_to_transform=[1], layers_pattern=["h", "layers"]),
    dict(target_modules=["q_proj", "k_proj"], exclude_modules=["k_proj"]),
    dict(target_modules=["q_proj", "k_proj"], exclude_modules=["1.self_attn.k_proj"]),
    dict(target_modules=["q_proj", "k_proj"], exclude_modules=r".*\.[02]\..*k_proj"),
    dict(target_modules=["q_proj"], exclude_modules=[]),
    dict(target_modules=["q_proj"], exclude_modules=""),
    # Regular expressions must match the whole path.
    dict(target_modules=r"q_proj"),
    dict(target_modules=r".*q_proj"),
    dict(target_modules=r".*\.(q|k)_proj"),
    dict(target_modules=r".*_proj|lm_head"),
    dict(target_modules=r".*"),
    dict(target_modules=r""),
    dict(target_modules=r"model\.layers\.\d\.mlp\.[^d]\w*"),
    dict(target_modules=r"model\.layers\.\d+\.mlp\.(gate|up)_proj"),
    dict(target_modules=r"^model\.layers\.[1-2]\.(?:self_attn|mlp)\.(?:q|down)_proj$"),
    dict(target_modules=r"^(?!.*mlp).*_proj$"),
    dict(target_modules=r"^(?!.*(?:mlp|\.1\.)).*(?<![kv])_proj"),
    dict(target_modules=r".*(?<=self_attn\.)[a-p]_proj"),
    dict(target_modules=r".*\.layers(?=\.1).*up_proj"),
    dict(target_modules=r".*\b(q_proj|up_proj)\b"),
    dict(target_modules=r".*\B_proj"),
    dict(target_modules=r"model.layers.{1,3}mlp.{3,10}"),
    dict(target_modules=r"model\.layers\.[0-9]{1}\.\w{3}\.\w{7}"),
    dict(target_modules=r"model\.layers\.[0-9]{1,}\.mlp\.up_proj"),
    dict(target_modules=r"model\.layers\.[0-9]{,2}\.mlp\.up_proj"),
    dict(target_modules=r"model\.layers\.1\.mlp\.[a-z]{2}_proj"),
    dict(target_modules=r"model\.layers\.1\.mlp\.[a-z]{5,}"),
    dict(target_modules=r".*?q_proj?"),
    dict(target_modules=r".+?\.v_(proj|gate)??"),
    dict(target_modules=r"(?P<front>.*)\.(?P<name>o_proj)"),
    dict(target_modules=r"\A.*\.k_proj\Z"),
    dict(target_modules=r".*(^|\.)k_proj"),
    dict(target_modules=r".*k_proj$|x^"),
    dict(target_modules=r"[]m].*k[_\-]proj"),
    dict(target_modules=r"model[^]]layers[.]1[.]self\x5fattn[.]k_proj"),
    dict(target_modules=r"model\.layers\.\S\.mlp\.up\Wproj"),
    dict(target_modules=r"model\.layers\.\D\.mlp\.up_proj|model\.layers\.2\.mlp\.u[\w]_proj"),
    dict(target_modules=r"model\.layers\.[^\d1]\.mlp\.[\w.]+|model\.layers\.[\d-]\.mlp\.down_proj"),
    dict(target_modules=r"model\.layers\.0\.mlp\.{up_proj|model\.layers\.0\.mlp\.up_proj"),
    dict(target_modules=r"MODEL.*q_proj"),
    dict(target_modules=r".*(?:.*?(?:language|text|model).*?(?:self_attn|attention|mlp|ffn).*?"
         r"(?:k_proj|fc1|up_proj).*?)|(?:\bmodel\.layers\.[\d]{1,}\.(?:self_attn|mlp)\.(?:(?:q_proj)))"),
]

RANK_PATTERNS = [
    {"q_proj": 3},
    {"_proj": 3},
    {".*_proj": 3},
    {"q_proj|up_proj": 3, "mlp.up_proj": 4},
    {r"^layers\.1\..*": 3},
    {r"^model\.layers\.1\..*": 3, r"layers\.[12]\.self_attn\.k_proj": 5},
    {r"layers\.2\.mlp": 3},
    {r"(layers\.2\.mlp\.)?(gate|up)_proj": 3, r"self_attn\.\w_proj$": 9},
    {r"model\.layers\.0\.self_attn\.q_proj": 3},
]


def make_base():
    torch.manual_seed(5)
    model = Qwen2ForCausalLM(Qwen2Config(**SIZES))
    generator = torch.Generator().manual_seed(6)
    for _, parameter in sorted(model.named_parameters()):
        noise = torch.randn(parameter.shape, generator=generator)
        parameter.data = 0.3 * noise if parameter.dim() == 2 else parameter.data + 0.2 * noise
    model.config._name_or_path = "somebody/tiny-base"
    model.name_or_path = "somebody/tiny-base"
    model.save_pretrained(HERE / "base")
    (HERE / "base/generation_config.json").unlink(missing_ok=True)


def base(dtype):
    model = AutoModelForCausalLM.from_pretrained(HERE / "base", dtype=dtype)
    model.config._name_or_path = "somebody/tiny-base"
    model.name_or_path = "somebody/tiny-base"
    return model


def make_adapter(name, settings, stored, base_dtype, seed):
    model = base(base_dtype)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    peft = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **settings))
    generator = torch.Generator().manual_seed(seed)
    for key, parameter in sorted(peft.named_parameters()):
        if "lora_" in key:
            values = 0.4 * torch.randn(parameter.shape, generator=generator)
            # Merged as stored: what is saved in another type is rounded first.
            parameter.data = values.to(stored).to(parameter.dtype)
    folder = HERE / name
    peft.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)
    if stored != torch.float32:
        from safetensors.torch import load_file

        path = folder / "adapter_model.safetensors"
        tensors = {key: value.to(stored) for key, value in load_file(path).items()}
        save_file(tensors, path, metadata={"format": "pt"})
    # PEFT writes sets in any order.
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text())
    for key in ["target_modules", "exclude_modules"]:
        if isinstance(config[key], list):
            config[key].sort()
    path.write_text(json.dumps(config, indent=2, sort_keys=True))

    merged = peft.merge_and_unload(safe_merge=False).state_dict()
    changed = {
        key: value.contiguous() for key, value in merged.items() if not torch.equal(value, before[key])
    }
    save_file(changed, folder / "merged.safetensors")


def selection(choice, names):
    choice = {
        key: choice.get(key)
        for key in ["target_modules", "exclude_modules", "layers_to_transform", "layers_pattern"]
    }
    # As `LoraConfig` has them.
    config = SimpleNamespace(**choice)
    found = [check_target_module_exists(config, name) for name in names]
    selected = [n for n, f in zip(names, found) if f and not isinstance(f, _ExcludedModule)]
    return {**choice, "selected": selected}


def main():
    for name in ["base", *ADAPTERS]:
        shutil.rmtree(HERE / name, ignore_errors=True)
    make_base()
    for seed, (name, (settings, stored, base_dtype)) in enumerate(ADAPTERS.items()):
        make_adapter(name, settings, stored, base_dtype, 100 + seed)

    names = [name for name, _ in base(torch.float32).named_modules() if name]
    modules = {
        "modules": names,
        "selections": [selection(choice, names) for choice in SELECTIONS],
        "rank_patterns": [
            {
                "pattern": pattern,
                "ranks": {
                    name: rank
                    for name in names
                    if name.endswith("_proj")
                    and (rank := pattern.get(get_pattern_key(pattern.keys(), name))) is not None
                },
            }
            for pattern in RANK_PATTERNS
        ],
    }
    (HERE / "selections.json").write_text(json.dumps(modules, indent=1) + "\n")


main()

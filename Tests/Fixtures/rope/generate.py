"""Writes frequencies.json: RoPE's frequencies as Hugging Face's transformers computes them.

Run by hand, with torch and transformers, in this folder:

    ATEN_CPU_CAPABILITY=default python generate.py
    ATEN_CPU_CAPABILITY=avx2 python generate.py

The first run writes the file with the power function of the C library, the second adds, under
'vectorized', the values that torch's vectorized power function gives, where they differ.
Frequencies are the bits of 32-bit floats, in hexadecimal digits.
"""

import json
import struct
from pathlib import Path

import torch
import transformers
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}

# name, head_dim, max_position_embeddings, rope_theta, rope_scaling
CASES = [
    ("default, head 128, theta 1e4", 128, 131072, 10000.0, None),
    ("default, head 64, theta 1e6", 64, 32768, 1000000.0, None),
    ("default, head 128, theta 1e6", 128, 131072, 1000000.0, None),
    ("default, head 128, theta 300000", 128, 32768, 300000.0, None),
    ("default, head 8", 8, 512, 10000.0, None),
    ("default, head 2", 2, 512, 10000.0, None),
    ("default, head 256, theta 5e6", 256, 512, 5000000.0, None),
    ("linear", 64, 8192, 10000.0, {"rope_type": "linear", "factor": 3.0}),
    ("llama3, factor 8, head 128", 128, 131072, 500000.0, LLAMA3),
    ("llama3, factor 32, head 64", 64, 131072, 500000.0, LLAMA3 | {"factor": 32.0}),
    (
        "llama3, small",
        8,
        512,
        500000.0,
        LLAMA3 | {"original_max_position_embeddings": 32},
    ),
    (
        "llama3, odd factors",
        80,
        4096,
        70000.0,
        LLAMA3
        | {
            "factor": 2.7,
            "low_freq_factor": 1.3,
            "high_freq_factor": 5.9,
            "original_max_position_embeddings": 1000,
        },
    ),
    (
        "llama3, many between",
        256,
        16384,
        10000.0,
        LLAMA3
        | {
            "factor": 3.0,
            "low_freq_factor": 0.7,
            "high_freq_factor": 90.0,
            "original_max_position_embeddings": 3001,
        },
    ),
    ("yarn, slow waves beyond the head", 64, 131072, 10.0, YARN),
    ("yarn, slow waves in the upper half", 64, 131072, 100.0, YARN),
    ("yarn, factor 4, head 128", 128, 131072, 1000000.0, YARN),
    ("yarn, not truncated", 64, 131072, 1000000.0, YARN | {"truncate": False}),
    (
        "yarn, betas",
        96,
        16384,
        10000.0,
        YARN
        | {
            "factor": 6.5,
            "beta_fast": 20.0,
            "beta_slow": 2.5,
            "original_max_position_embeddings": 2048,
        },
    ),
    ("yarn, attention factor", 64, 8192, 10000.0, YARN | {"attention_factor": 1.25}),
    (
        "yarn, mscale",
        64,
        163840,
        10000.0,
        YARN
        | {
            "factor": 40.0,
            "mscale": 0.707,
            "mscale_all_dim": 1.1,
            "original_max_position_embeddings": 4096,
        },
    ),
    (
        "yarn, mscale alone counts nothing",
        64,
        163840,
        10000.0,
        YARN | {"mscale": 0.5, "mscale_all_dim": 0.0},
    ),
    (
        "yarn, factor from the ratio",
        64,
        12288,
        10000.0,
        YARN | {"factor": None, "original_max_position_embeddings": 4096},
    ),
    (
        "yarn, ramp of no width",
        8,
        64,
        10000.0,
        YARN | {"factor": 2.0, "original_max_position_embeddings": 4},
    ),
]


def bits(values):
    return " ".join(f"{struct.unpack('<I', struct.pack('<f', v))[0]:08x}" for v in values)


def main():
    path = Path(__file__).parent / "frequencies.json"
    capability = torch.backends.cpu.get_cpu_capability()
    previous = {}
    if capability != "DEFAULT":
        previous = {case["name"]: case for case in json.loads(path.read_text())["cases"]}
    cases = []
    for name, head_dim, positions, theta, scaling in CASES:
        config = LlamaConfig(
            hidden_size=head_dim * 2,
            num_attention_heads=2,
            head_dim=head_dim,
            max_position_embeddings=positions,
            rope_parameters={"rope_theta": theta} | (scaling or {"rope_type": "default"}),
        )
        rotary = LlamaRotaryEmbedding(config)
        frequencies = bits(rotary.inv_freq.tolist())
        case = previous.get(name) or {
            "name": name,
            "head_dim": head_dim,
            "max_position_embeddings": positions,
            "rope_theta": theta,
            "rope_scaling": scaling,
            "attention_factor": float(rotary.attention_scaling),
            "inverse_frequencies": frequencies,
        }
        case.pop("vectorized", None)
        if frequencies != case["inverse_frequencies"]:
            case["vectorized"] = frequencies
        cases.append(case)
    origin = f"transformers {transformers.__version__}, torch {torch.__version__}"
    path.write_text(json.dumps({"origin": origin, "cases": cases}, indent=1) + "\n")
    print(capability, len(cases), "cases,", sum("vectorized" in c for c in cases), "vectorized")


main()

"""Writes blocks.json: what bitsandbytes makes of some numbers with its dynamic maps, on the CPU.

    python generate.py      (bitsandbytes 0.50.2, PyTorch 2.13.0)

Floats are kept as the integers of their bits. Numbers are passed as float64, for which bitsandbytes
searches for the nearest value; its quick way for float32 on CPUs rounds them to a coarse grid first.
"""

import json
import pathlib

import bitsandbytes.functional as F
import torch

BLOCK = 256


def bits(x):
    return x.view(torch.int32).tolist()


def case(signed):
    generator = torch.Generator().manual_seed(7 if signed else 8)
    # Blocks as moments are: normal, over many magnitudes, with zeros, and one cut short.
    normal = torch.randn(BLOCK, generator=generator) * 1e-3
    wide = torch.randn(BLOCK, generator=generator) * 10 ** (
        -8 * torch.rand(BLOCK, generator=generator)
    )
    sparse = torch.randn(BLOCK, generator=generator) * (
        torch.rand(BLOCK, generator=generator) < 0.3
    )
    short = torch.randn(77, generator=generator) * 1e6
    x = torch.cat([normal, wide, sparse, short])
    if not signed:
        x = x * x
    code = F.create_dynamic_map(signed=signed)
    quantized, scales = torch.ops.bitsandbytes.quantize_blockwise(x.double(), code, BLOCK)
    back = F.dequantize_blockwise(quantized, absmax=scales, code=code, blocksize=BLOCK)
    return {
        "map": bits(code),
        "numbers": bits(x),
        "codes": quantized.tolist(),
        "scales": bits(scales),
        "back": bits(back.float()),
    }


text = json.dumps({"signed": case(True), "unsigned": case(False)}, separators=(",", ":"))
pathlib.Path(__file__).with_name("blocks.json").write_text(text + "\n")

"""Writes objective.json: advantages, losses and gradients of GRPO as TRL computes them.

Run by hand, with torch and trl, in this folder:

    python generate.py

The loss is `GRPOTrainer._compute_loss` itself, called with made log-probabilities in float64 in
place of a model's; gradients are torch's. TRL has no function for the advantages: their lines of
`_generate_and_score_completions` are repeated here, with TRL's own `nanstd`. The deviation over n
is numpy's.
"""

import json
import math
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import numpy
import torch
import trl
from trl.trainer.grpo_trainer import GRPOTrainer
from trl.trainer.utils import nanstd

torch.manual_seed(20)
# Quotients of whole numbers, as in `nanstd`, are in this type.
torch.set_default_dtype(torch.float64)
nan = float("nan")
MOST = 11
REWARDS = [
    [1.0, 0.0, 0.0],
    [1.5, -0.25, 0.5, 1.5, 0.1],
    [1.0, 1.0, 0.0, 1.0, 1.1, 0.0, 0.3],
    [0.7, 0.7],
    [0.2, nan, 0.9, 0.2, nan, 0.4, 0.95, 0.3, 0.0, 0.1, 1.2],
]


def advantages(scale, deviation, epsilon):
    everything = torch.tensor([r for group in REWARDS for r in group], dtype=torch.float64)

    def std(values):
        if deviation == "sample":
            return nanstd(values)
        return torch.tensor(numpy.nanstd(values.numpy()))

    found = []
    for group in REWARDS:
        rewards = torch.tensor(group, dtype=torch.float64)
        values = rewards - torch.nanmean(rewards)
        if scale != "none":
            values = values / (std(rewards if scale == "deviation" else everything) + epsilon)
        found.append([None if math.isnan(v) else v for v in values.tolist()])
    return found


class Alone:
    """An accelerator of one process."""

    num_processes = 1
    sync_gradients = True

    def gather(self, x):
        return x

    def reduce(self, x, reduction):
        return x


def trained(case, data):
    """The loss and its derivative by every log-probability."""
    mask = torch.zeros(len(data["tokens"]), MOST, dtype=torch.float64)
    for i, (count, is_cut) in enumerate(zip(data["tokens"], data["isCut"])):
        # As `mask_truncated_completions` does.
        mask[i, :count] = 0 if is_cut and case["leavesOutCutAnswers"] else 1

    def padded(rows):
        return torch.tensor([row + [0.0] * (MOST - len(row)) for row in rows], dtype=torch.float64)

    now = padded(data["logProbabilities"]).requires_grad_()
    inputs = {
        "prompt_ids": torch.zeros(len(mask), 1),
        "prompt_mask": torch.ones(len(mask), 1),
        "completion_ids": torch.zeros(len(mask), MOST),
        "completion_mask": mask,
        "advantages": torch.tensor(data["advantages"], dtype=torch.float64),
        "old_per_token_logps": padded(data["sampled"]),
        "ref_per_token_logps": padded(data["reference"]),
        "num_items_in_batch": mask.sum(),
    }
    trainer = SimpleNamespace(
        _get_per_token_logps_and_entropies=lambda *a, **k: (now, torch.zeros_like(mask), None),
        _entropy_bonus_enabled=False,
        _metrics=defaultdict(lambda: defaultdict(list)),
        accelerator=Alone(),
        args=SimpleNamespace(use_bias_correction_kl=False, delta=None, steps_per_generation=1),
        aux_loss_enabled=False,
        beta=case["klCoefficient"],
        current_gradient_accumulation_steps=1,
        epsilon_high=case["clipHigh"],
        epsilon_low=case["clipLow"],
        importance_sampling_level="token",
        loss_type={"answer": "grpo", "token": "dapo", "constant": "dr_grpo"}[case["normalization"]],
        max_completion_length=MOST,
        model=SimpleNamespace(training=True),
        off_policy_mask_threshold=None,
        top_entropy_quantile=1.0,
        use_vllm=False,
    )
    loss = GRPOTrainer._compute_loss(trainer, trainer.model, inputs)
    loss.backward()
    metrics = trainer._metrics["train"]
    rows = [now.grad[i, :n].tolist() for i, n in enumerate(data["tokens"])]
    return {
        "loss": loss.item(),
        "derivatives": rows,
        "kl": metrics["kl"][0] if "kl" in metrics else 0,
        "shareClipped": metrics["clip_ratio/region_mean"][0],
    }


def main():
    rules = [
        {"scale": s, "deviation": d, "epsilon": e}
        for s, d, e in [
            ("deviation", "sample", 1e-4),
            ("deviation", "sample", 0.0),
            ("deviation", "population", 1e-6),
            ("none", "sample", 1e-4),
            ("batch", "sample", 1e-4),
            ("batch", "population", 0.0),
        ]
    ]
    for rule in rules:
        # 0.7 − 0.7 over a deviation of 0 is not a number with an epsilon of 0.
        rule["advantages"] = advantages(**rule)

    first = rules[0]["advantages"]
    data = {"tokens": [], "isCut": [], "logProbabilities": [], "sampled": [], "reference": []}
    data["advantages"] = [a for group in first for a in group if a is not None]
    for i, _ in enumerate(data["advantages"]):
        tokens = MOST if i % 5 == 2 else 1 + (7 * i) % MOST
        now = (-3 * torch.rand(tokens, dtype=torch.float64) ** 2).tolist()
        data["tokens"].append(tokens)
        data["isCut"].append(i % 5 == 2)
        data["logProbabilities"].append(now)
        for key, width in [("sampled", 0.3), ("reference", 0.6)]:
            noise = (width * torch.randn(tokens, dtype=torch.float64)).tolist()
            # Some tokens' probabilities have not changed.
            moved = [0 if (i + t) % 7 == 3 else n for t, n in enumerate(noise)]
            data[key].append([a + n for a, n in zip(now, moved)])
    cases = []
    for normalization in ["answer", "token", "constant"]:
        for low, high, beta, leaves_out in [
            (0.2, 0.2, 0.0, False),
            (0.2, 0.28, 0.04, False),
            (0.15, 0.3, 0.5, True),
        ]:
            case = {
                "normalization": normalization,
                "clipLow": low,
                "clipHigh": high,
                "klCoefficient": beta,
                "leavesOutCutAnswers": leaves_out,
            }
            cases.append(case | trained(case, data))
    rewards = [[None if math.isnan(r) else r for r in group] for group in REWARDS]
    origin = f"trl {trl.__version__}, torch {torch.__version__}, numpy {numpy.__version__}"
    whole = {"origin": origin, "rewards": rewards, "rules": rules, "maxTokens": MOST}
    whole |= {"data": data, "cases": cases}
    text = json.dumps(whole, allow_nan=False)
    text = text.replace("], [", "],\n[").replace("}, {", "},\n{").replace(', "', ',\n"')
    (Path(__file__).parent / "objective.json").write_text(text + "\n")
    for case in cases:
        print(case["normalization"], case["loss"], case["kl"], case["shareClipped"])


main()

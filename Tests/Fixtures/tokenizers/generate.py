"""Makes the tokenizers and encodings of this folder. Run by hand, with `tokenizers` installed;
its output is committed."""

import json
import os
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers
from tokenizers import pre_tokenizers, processors, trainers

random.seed(20)
HERE = os.path.dirname(os.path.abspath(__file__))
CL100K = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CORPUS = [
    "The quick brown fox jumps over the lazy dog, and the dog doesn't mind: it's asleep.",
    "Let x be the number of apples. Then 2x + 3 = 11, so x = 4. The answer is \\boxed{4}.",
    "Wait, I should check that again. 12 * 12 = 144, and 144 / 3 = 48.",
    "def f(x):\n    return x * 2\n\nprint(f(21))\n",
    "Zażółć gęślą jaźń. Ein schöner Tag für Übermut. Où est le café?",
    "数学は楽しい。東京に行きました。 Привет, мир! 안녕하세요 😀",
] * 4
TEXTS = [
    "", " ", "  ", "a", "Hello", " Hello", "Hello world", "  Hello  world  ", "\n", "\n\n x\n",
    "The answer is 42.", "12345 1 22 333 4444", "don't DON'T we'll I'Ve 's 'S 'ſ", "\t\tx\r\n\r\ny",
    "café", "cafe\u0301", "e\u0301\u0327", "ﬁ Å Å", "数学は楽しい", "안녕 \u1112\u1161\u11ab", "Привет",
    "😀👨‍👩‍👧🇩🇪", "\u00a0x\u2003y\u3000z", "\u200b\u200d", "x\u0000y", "a" * 200, " " * 70, "é" * 90,
    "<mask>", " <mask> ", "a <mask> b", "a<mask>b", "a  <left>  b", "a  <right>  b", "x<both>y",
    "  <both>  ", "<both><both>  <both>", "wordy word words word", "word", "sword.word,word_",
    "<plain>x<plain>", "<pla<plain>in>", "<a><ab><abc", "<abc>", "Ünit Ünit", "U\u0308nit",
    "<s>Hi</s>", "<s> Hi </s>", "▁a▁▁b", " ▁a", "a▁", "def f(x):\n    return x", "x²½Ⅷ٣",
    "<0x41>", "~`|{}[]", "word word", "\u00e9word", "word\u0301", "_word", "1word word1",
]
ALPHABET = list("abcxyz XYZ\n\t'0123.,-_<>▁éü数は😀\u0301word")
for _ in range(60):
    TEXTS.append("".join(random.choice(ALPHABET) for _ in range(random.randint(1, 40))))


def save(name, tokenizer):
    folder = os.path.join(HERE, name)
    os.makedirs(folder, exist_ok=True)
    tokenizer.save(os.path.join(folder, "tokenizer.json"))
    with open(os.path.join(folder, "encodings.jsonl"), "w") as file:
        for text in TEXTS:
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            line = {
                "text": text,
                "ids": ids,
                "ids_with_special": tokenizer.encode(text).ids,
                "decoded": tokenizer.decode(ids, skip_special_tokens=False),
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def trained(tokenizer, size, **options):
    trainer = trainers.BpeTrainer(vocab_size=size, show_progress=False, **options)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def flags(tokenizer):
    tokenizer.add_special_tokens([AddedToken("<mask>", special=True)])
    tokenizer.add_tokens([
        AddedToken("<left>", lstrip=True, normalized=False),
        AddedToken("<right>", rstrip=True, normalized=False),
        AddedToken("<both>", lstrip=True, rstrip=True, normalized=False),
        AddedToken("word", single_word=True, normalized=False),
        AddedToken("<plain>", normalized=True),
        AddedToken("Ünit", normalized=True),
        AddedToken("<a>", normalized=False),
        AddedToken("<ab>", normalized=False),
        AddedToken("<abc>", normalized=False),
    ])
    return tokenizer


# Byte-level, with NFC, Llama 3's pattern, every flag of added tokens, and a template.
t = Tokenizer(models.BPE())
t.normalizer = normalizers.NFC()
t.pre_tokenizer = pre_tokenizers.Sequence([
    pre_tokenizers.Split(Regex(CL100K), "isolated"),
    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
])
t.decoder = decoders.ByteLevel()
alphabet = pre_tokenizers.ByteLevel.alphabet()
trained(t, 420, initial_alphabet=alphabet, special_tokens=["<s>", "</s>"])
t.post_processor = processors.TemplateProcessing(
    single="<s> $A </s>", pair=None, special_tokens=[("<s>", 0), ("</s>", 1)])
save("byte-level", flags(t))

# GPT-2's splitting behind single digits, with a space before every text; a byte is missing.
t = Tokenizer(models.BPE(unk_token=None))
t.pre_tokenizer = pre_tokenizers.Sequence([
    pre_tokenizers.Digits(individual_digits=True),
    pre_tokenizers.ByteLevel(add_prefix_space=False),
])
t.decoder = decoders.ByteLevel()
save("digits", trained(t, 330, special_tokens=["<mask>"]))

t = Tokenizer(models.BPE(ignore_merges=True))
t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
t.decoder = decoders.ByteLevel()
save("prefix-space", trained(t, 360, initial_alphabet=alphabet))

# Llama 2's older form: spaces become marks by the normalizer, nothing is split.
t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
t.normalizer = normalizers.Sequence([
    normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
t.decoder = decoders.Sequence([
    decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
    decoders.Strip(" ", 1, 0)])
tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)]
trained(t, 460, special_tokens=tokens)
raw = json.loads(t.to_str())
raw["added_tokens"] = raw["added_tokens"][:3]
t = Tokenizer.from_str(json.dumps(raw))
t.post_processor = processors.TemplateProcessing(
    single="<s> $A", pair=None, special_tokens=[("<s>", 1)])
save("llama2-normalizer", flags(t))

# Llama 2's newer form: Metaspace; without tokens for bytes.
for scheme in ["first", "always", "never"]:
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=scheme == "always"))
    t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=scheme != "first")
    t.decoder = decoders.Metaspace(prepend_scheme=scheme)
    save("metaspace-" + scheme, flags(trained(t, 200, special_tokens=["<unk>"])))

# A tokenizer for chats: control tokens, and thoughts that are text.
t = Tokenizer(models.BPE())
t.pre_tokenizer = pre_tokenizers.Sequence([
    pre_tokenizers.Split(Regex(CL100K), "isolated"),
    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
])
t.decoder = decoders.ByteLevel()
control = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
trained(t, 360, initial_alphabet=alphabet, special_tokens=control)
t.add_tokens([AddedToken("<think>", normalized=False), AddedToken("</think>", normalized=False)])
save("chat", t)
with open(os.path.join(HERE, "chat", "tokenizer_config.json"), "w") as file:
    roles = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "bos_token": None}
    json.dump({"tokenizer_class": "PreTrainedTokenizerFast", **roles}, file, indent=2)

# What Hugging Face's trainer learns from `trained/corpus.txt`, with each splitting.
corpus = open(os.path.join(HERE, "trained", "corpus.txt"), newline="").read()
for name in ["gpt2", "llama3", "qwen2"]:
    t = Tokenizer(models.BPE())
    if name == "gpt2":
        t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    else:
        pattern = CL100K if name == "llama3" else CL100K.replace("{1,3}", "")
        t.pre_tokenizer = pre_tokenizers.Sequence([
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ])
    if name == "qwen2":
        t.normalizer = normalizers.NFC()
    t.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=640, show_progress=False, initial_alphabet=alphabet, min_frequency=2,
        special_tokens=["<|endoftext|>", "<|im_start|>"])
    t.train_from_iterator([corpus], trainer)
    t.save(os.path.join(HERE, "trained", name + ".json"))

"""Writes tiny random models (float32, bytes as tokens) that the engines of a test load: a Llama,
and in its folder `window` a Mellum, three of whose four layers keep the last 64 tokens.

    sglang_model.py FOLDER [--layers 4] [--seed 1]
"""
import argparse
import os

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, MellumConfig, MellumForCausalLM
from transformers import PreTrainedTokenizerFast


COMMON = {
    "vocab_size": 512, "hidden_size": 128, "intermediate_size": 256, "num_attention_heads": 8,
    "num_key_value_heads": 4, "head_dim": 16, "max_position_embeddings": 4096, "bos_token_id": 0,
    "eos_token_id": 1, "tie_word_embeddings": False}


def tokenizer() -> PreTrainedTokenizerFast:
    """One token a byte, so that text and its number of tokens are easy to tell from each other."""
    words = ["<s>", "</s>", "<unk>"] + sorted(pre_tokenizers.ByteLevel.alphabet())
    plain = Tokenizer(models.BPE(
        vocab={word: i for i, word in enumerate(words)}, merges=[], unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=plain, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def llama(layers: int, seed: int) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    return spread(LlamaForCausalLM(LlamaConfig(num_hidden_layers=layers, **COMMON)))


def mellum(seed: int) -> MellumForCausalLM:
    torch.manual_seed(seed)
    return spread(MellumForCausalLM(MellumConfig(
        num_hidden_layers=4, mlp_layer_types=["dense"] * 4, num_experts=8, sliding_window=64,
        layer_types=["sliding_attention"] * 3 + ["full_attention"], pad_token_id=None, **COMMON)))


def spread(model):
    model = model.to(torch.float32)
    # Wide weights keep the logits apart, so that greedy tokens depend on every page.
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.normal_(0, 0.08)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    tokenizer().save_pretrained(options.folder)
    llama(options.layers, options.seed).save_pretrained(options.folder, safe_serialization=True)
    window = os.path.join(options.folder, "window")
    tokenizer().save_pretrained(window)
    mellum(options.seed).save_pretrained(window, safe_serialization=True)


if __name__ == "__main__":
    main()

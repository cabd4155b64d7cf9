"""Writes a tiny random Llama (float32, bytes as tokens) that both engines of a test load.

    sglang_model.py FOLDER [--layers 4] [--seed 1]
"""
import argparse
import os

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast


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
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=512, hidden_size=128, intermediate_size=256, num_hidden_layers=layers,
        num_attention_heads=8, num_key_value_heads=4, head_dim=16, max_position_embeddings=4096,
        bos_token_id=0, eos_token_id=1, tie_word_embeddings=False)).to(torch.float32)
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


if __name__ == "__main__":
    main()

"""Tiny models with random weights from a fixed seed, for tests and the bench: MODELS_FOLDER/NAME.

    gqa   Llama: 4 layers, 8 query heads over 4 KV heads
    swa   Gemma 3: 3 layers with a sliding window of 128 tokens, 1 with full attention
    mla   DeepSeek V2: 3 layers of latent attention

They come with a tokenizer of 512 words, so that text goes in and out."""
import os
import sys

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

WORDS = 512
TEXT = ["a page of the cache goes from the prefill server to the decode server",
        "one rank hands over what another rank goes on with", "0123456789 .,:;!?()[]{}"]
COMMON = {"vocab_size": WORDS, "hidden_size": 256, "intermediate_size": 512,
          "num_attention_heads": 8, "max_position_embeddings": 4096, "bos_token_id": 1,
          "eos_token_id": 2, "pad_token_id": 0, "tie_word_embeddings": False}


def tokenizer() -> transformers.PreTrainedTokenizerFast:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.train_from_iterator(TEXT * 8, trainers.BpeTrainer(
        vocab_size=WORDS, special_tokens=["<pad>", "<s>", "</s>"], show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token="</s>", pad_token="<pad>",
        model_max_length=4096)


def gqa():
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(
        num_hidden_layers=4, num_key_value_heads=4, head_dim=32, initializer_range=0.2, **COMMON))


def swa():
    return transformers.Gemma3ForCausalLM(transformers.Gemma3TextConfig(
        num_hidden_layers=4, num_key_value_heads=4, head_dim=32, sliding_window=128,
        layer_types=["sliding_attention"] * 3 + ["full_attention"], query_pre_attn_scalar=32,
        initializer_range=0.2, **COMMON))


def mla():
    config = transformers.DeepseekV2Config(
        num_hidden_layers=3, num_key_value_heads=8, kv_lora_rank=512, q_lora_rank=None,
        qk_rope_head_dim=64, qk_nope_head_dim=128, v_head_dim=128, n_routed_experts=4,
        num_experts_per_tok=2, n_shared_experts=1, moe_intermediate_size=64, n_group=1,
        topk_group=1, topk_method="greedy", first_k_dense_replace=1, initializer_range=0.1,
        **COMMON)
    config.architectures = ["DeepseekV2ForCausalLM"]
    return transformers.DeepseekV2ForCausalLM(config)


def main() -> None:
    folder = sys.argv[1]
    for make in (gqa, swa, mla):
        torch.manual_seed(0)
        path = os.path.join(folder, make.__name__)
        make().to(torch.bfloat16).save_pretrained(path, safe_serialization=True)
        tokenizer().save_pretrained(path)
        print("model %s made" % make.__name__)


if __name__ == "__main__":
    main()

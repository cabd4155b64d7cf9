#!/usr/bin/python3
"""Writes sample.jsonl: requests of made-up conversations, always the same for the same seed.

    tests/demo/workload/generate.py > tests/demo/workload/sample.jsonl

Half the requests open a conversation: a system prompt that all share, then text of their own. The
others go on with an open one, so that their leading blocks came before.
"""
import json
import math
import random

SEED = 20250101
REQUESTS = 256
BLOCK = 512
SYSTEM_PROMPT_BLOCKS = 1


def main() -> None:
    rng = random.Random(SEED)
    next_block = SYSTEM_PROMPT_BLOCKS
    conversations = []
    time_ms = 0
    for _ in range(REQUESTS):
        time_ms += int(rng.expovariate(1 / 300))
        if conversations and rng.random() < 0.5:
            shared, old_tokens = conversations.pop(rng.randrange(len(conversations)))
            tokens = old_tokens + int(rng.uniform(200, 3000))
        else:
            shared = list(range(SYSTEM_PROMPT_BLOCKS))
            tokens = int(min(32768, max(60, rng.lognormvariate(math.log(4500), 0.9))))
        whole_blocks = math.ceil(tokens / BLOCK)
        blocks = shared[:whole_blocks]
        while len(blocks) < whole_blocks:
            blocks.append(next_block)
            next_block += 1
        output = int(rng.uniform(1, 800))
        print(json.dumps({"timestamp": time_ms, "input_length": tokens, "output_length": output,
                          "hash_ids": blocks}))
        # Only whole blocks can be shared with what follows.
        conversations.append((blocks[:tokens // BLOCK], tokens + output))
        conversations = conversations[-40:]


if __name__ == "__main__":
    main()

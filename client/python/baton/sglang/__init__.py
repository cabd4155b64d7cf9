"""Baton as a transfer backend of SGLang: `--disaggregation-transfer-backend baton`.

SGLang finds it by the entry point `sglang.srt.plugins`; no file of SGLang is changed. What a user
sets stands in config.py, and docs/guides/sglang.md tells the rest. Nothing here imports SGLang
before SGLang itself asks for it.
"""

"""A router of a page: OpenAI requests go to a prefill and a decode server at once.

    python -m baton.router --bootstrap=10.0.0.5:7411 --listen=127.0.0.1:8000

Servers are known from Baton's registry, by the labels that their engines give: `engine` (vllm or
sglang), `http` (host:port of its API) and, for SGLang, `bootstrap` (host:port that decode servers
are told). Needs the extra baton-kv[router].
"""

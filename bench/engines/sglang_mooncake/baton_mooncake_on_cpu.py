"""A plugin of the bench: SGLang's Mooncake backend without a GPU. It asks for pinned page lists,
which only a CUDA driver has; without that it takes plain ones, as other backends do."""


def register():
    from sglang.srt.disaggregation.mooncake import conn

    conn.MooncakeKVSender.supports_host_tensor_indices = False

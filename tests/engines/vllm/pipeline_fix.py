"""vLLM 0.32.0 on a CPU, eager: the later pipeline stages lack the buffer for what the stage before
them computed, since only the warm-up that is skipped there makes it, and the first request ends the
engine. This makes the buffer at its first use. Imported in each worker by the tests' connector."""
from vllm.v1.worker.gpu_model_runner import GPUModelRunner

_plain = GPUModelRunner.sync_and_gather_intermediate_tensors


def _with_buffer(self, num_tokens, *arguments, **options):
    if self.intermediate_tensors is None:
        self.intermediate_tensors = self.model.make_empty_intermediate_tensors(
            batch_size=self.max_num_tokens, dtype=self.model_config.dtype, device=self.device)
    return _plain(self, num_tokens, *arguments, **options)


def apply() -> None:
    GPUModelRunner.sync_and_gather_intermediate_tensors = _with_buffer

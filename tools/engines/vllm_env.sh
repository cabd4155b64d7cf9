#!/usr/bin/env bash
# To be sourced from the repository's root: installs vLLM where it is missing, and sets what its
# processes need. BATON_ENGINE is the folder of the installation.
BATON_ENGINE=$(tools/engines/vllm_install.sh "${vllm_install_flags[@]-}" | tail -n 1)
[[ -d $BATON_ENGINE ]] || exit 1
export BATON_ENGINE
unset PYTHONDONTWRITEBYTECODE
export LD_LIBRARY_PATH=$BATON_ENGINE/stubs
export BATON_ROOT=$PWD PYTHONPATH=$PWD/client/python:$PWD
export BATON_C_LIBRARY=$PWD/bazel-bin/client/c/libbaton_c.so
# What the engine keeps between runs stays with the installation; nothing is asked of the network.
export XDG_CACHE_HOME=$BATON_ENGINE/cache HF_HUB_OFFLINE=1 VLLM_NO_USAGE_STATS=1 DO_NOT_TRACK=1
export VLLM_HOST_IP=127.0.0.1 GLOO_SOCKET_IFNAME=lo
# Two cores: engines share them, and are not bound to one.
export OMP_NUM_THREADS=1 VLLM_CPU_OMP_THREADS_BIND=nobind
export TRANSFORMERS_VERBOSITY=error TORCH_CPP_LOG_LEVEL=ERROR

build_baton() {
  tools/bazel.sh build //client/c:libbaton_c.so //bootstrap_service/app:baton-bootstrap \
    //transfer_agent/app:baton-agent //client/python:v1
}

# Engines listen on every address that they find: they get a network with lo alone.
in_own_network() {
  local isolated=(unshare --net --pid --fork --kill-child --mount-proc)
  [[ $EUID == 0 ]] || isolated+=(--map-root-user)
  # shellcheck disable=SC2016  # the inner shell's arguments
  "${isolated[@]}" bash -c 'ip link set lo up && exec "$@"' _ "$@"
}

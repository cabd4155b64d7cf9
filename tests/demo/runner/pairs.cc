#include "tests/demo/runner/pairs.h"

namespace baton::demo {

namespace {

constexpr NamedPair kPairs[] = {
    // The pair that Baton began with: 136 ranks.
    {"seed", "qwen3-235b", "pp2,cp8,tp8", "tp8"},
    {"seed-spread", "qwen3-235b", "pp2,cp8:page,tp8", "tp8", true},
    // Tensor parallelism alone.
    {"one-to-one", "gqa", "", ""},
    {"tp-equal", "gqa", "tp4", "tp4"},
    {"tp-gather", "gqa", "tp4", "tp2"},
    {"tp-scatter", "gqa", "tp2", "tp4"},
    {"tp-uneven", "gqa", "tp6", "tp4"},
    {"tp-uneven-back", "gqa", "tp4", "tp6"},
    {"tp-3-to-2", "gqa", "tp3", "tp2"},
    {"tp-replicas", "gqa-few", "tp8", "tp4"},
    {"tp-replicas-spread", "gqa-few", "tp8", "tp4", true},
    {"tp-to-replicas", "gqa-few", "tp1", "tp8"},
    // Latents: every tp rank holds all.
    {"mla-gather", "mla", "tp4", "tp2"},
    {"mla-gather-spread", "mla", "tp4", "tp1", true},
    {"mla-scatter", "mla", "tp2", "tp4"},
    {"mla-index", "mla-index", "pp2,tp2", "tp1"},
    // Pipelines.
    {"pp-to-one", "gqa", "pp2,tp2", "tp2"},
    {"pp-equal", "gqa", "pp2", "pp2"},
    {"pp-uneven", "gqa", "pp5,stages:3+2+3+2+2", "pp3,stages:5+4+3"},
    {"pp-out", "mla", "pp1", "pp4"},
    {"pp-late-layers", "qwen3-235b", "pp4,stages:23+23+24+24", "tp2"},
    // Context parallelism on one side.
    {"cp-replicated", "gqa", "cp4", ""},
    {"cp-replicated-spread", "gqa", "cp4", "", true},
    {"cp-contiguous", "gqa", "cp3:contiguous,tp2", "tp2"},
    {"cp-token", "mla", "cp4:token,page16", "page16"},
    {"cp-page", "gqa", "cp2:page", "tp2"},
    {"cp-zigzag", "gqa", "cp4:zigzag", "tp2"},
    {"cp-layers", "mla", "cp4:layers", ""},
    {"dcp", "mla", "tp2,page16", "cp4:token,page16"},
    // Pages shared out over tp ranks, and over cp and tp ranks.
    {"pages-over-tp", "mla", "tp4,cp1:page-tp,page16", "tp2,page64"},
    {"pages-over-cp-tp", "mla-index", "cp2:page-cp-tp,tp2,page16", "tp4,cp1:page-tp,page16"},
    // On both.
    {"cp-3-to-2", "gqa", "cp3:contiguous", "cp2:contiguous"},
    {"cp-zigzag-to-token", "mla", "cp2:zigzag,page16", "cp4:token,page16"},
    {"cp-page-to-zigzag", "gqa", "cp4:page", "cp2:zigzag"},
    {"cp-layers-to-page", "gqa", "pp2,cp3:layers", "cp2:page"},
    // Data parallelism, found by room too.
    {"dp-2-to-1", "gqa", "dp2,tp2", "tp2"},
    {"dp-2-to-3", "mla", "dp2,tp2", "dp3"},
    {"tp8-to-dp8", "mla", "tp8", "dp8"},
    // Pages and pools that differ.
    {"page-16-to-64", "gqa", "tp2,page16", "tp2,page64"},
    {"page-64-to-1", "mla", "page64", "page1"},
    {"page-1-to-16", "gqa", "page1", "page16"},
    {"pool-token-to-head", "gqa", "tp2", "tp4,pool:head"},
    {"pool-joined-to-token", "gqa", "tp4,pool:joined", "tp2"},
    {"pool-cross-to-head", "gqa", "pp2,pool:cross", "tp2,pool:head"},
    // More than one page group, and states.
    {"window", "gqa-window", "pp2,tp2", "tp4"},
    {"window-cp", "gqa-window", "cp2:page", "tp2"},
    {"hybrid", "hybrid", "tp2", "tp4"},
    {"hybrid-pp", "hybrid", "pp2,tp4", "tp2"},
    // Everything at once.
    {"mixed", "gqa", "dp2,pp3,cp2:zigzag,tp2,page16,pool:head", "pp2,cp2:token,tp3,page64"},
    {"mixed-mla", "mla", "pp2,cp4:contiguous,tp2,pool:cross", "dp2,cp2:page,tp2,page16", true},
};

}  // namespace

absl::Span<const NamedPair> NamedPairs() { return kPairs; }

const NamedPair* FindPair(absl::string_view name) {
  for (const NamedPair& pair : NamedPairs()) {
    if (name == pair.name) return &pair;
  }
  return nullptr;
}

}  // namespace baton::demo

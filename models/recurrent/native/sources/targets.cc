// The cells compiled for several kinds of processors, and which of them this one is.

#include <cstring>
#include <initializer_list>
#include <memory>

#include "history.h"
#include "recurrence.h"
#include "threads.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

#if defined(__clang__)
#define BEGIN_TARGET(features) \
  DO_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define END_TARGET DO_PRAGMA(clang attribute pop)
#else
#define BEGIN_TARGET(features) DO_PRAGMA(GCC push_options) DO_PRAGMA(GCC target(features))
#define END_TARGET DO_PRAGMA(GCC pop_options)
#endif
#define DO_PRAGMA(text) _Pragma(#text)

// Compilers that know products of bfloat16.
#if defined(__x86_64__) && (defined(__clang__) ? __clang_major__ >= 9 : __GNUC__ >= 10)
#define HAS_BFLOAT16
BEGIN_TARGET("avx512f,avx512dq,avx512vl,avx512bw,avx512bf16,avx2,fma")
#define LANES 16
#define ROWS 12
#define BFLOAT16
namespace recurrence::avx512_bf16 {
#include "target.inc"
}
#undef LANES
#undef ROWS
#undef BFLOAT16
END_TARGET
#endif

#if defined(__x86_64__)
BEGIN_TARGET("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")
#define LANES 16
#define ROWS 12
namespace recurrence::avx512 {
#include "target.inc"
}
#undef LANES
#undef ROWS
END_TARGET

BEGIN_TARGET("avx2,fma")
#define LANES 8
#define ROWS 6
namespace recurrence::avx2 {
#include "target.inc"
}
#undef LANES
#undef ROWS
END_TARGET
#endif

// Vectors that every processor of the kind has, 128 bits wide. AArch64 has 32 registers for them.
#define LANES 4
#if defined(__aarch64__)
#define ROWS 6
#else
#define ROWS 3
#endif
namespace recurrence::plain {
#include "target.inc"
}
#undef LANES
#undef ROWS

namespace recurrence {

constexpr int kCellCount = sizeof(plain::kCells) / sizeof(Cell);

#if defined(__x86_64__)
static bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
}
#endif

#if defined(HAS_BFLOAT16)
// Compilers name this feature from different versions on: the processor is asked itself.
static bool has_avx512_bf16() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return has_avx512() && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & (1u << 5)) != 0;
}
#endif

const Target kTargets[] = {
#if defined(HAS_BFLOAT16)
    {"avx512_bf16", has_avx512_bf16, avx512_bf16::kCells, kCellCount},
#endif
#if defined(__x86_64__)
    {"avx512", has_avx512, avx512::kCells, kCellCount},
    {"avx2", [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); },
     avx2::kCells, kCellCount},
#endif
    {"plain", [] { return true; }, plain::kCells, kCellCount},
};
const int kTargetCount = sizeof(kTargets) / sizeof(Target);

const Cell* find_cell(const char* name) {
  for (const Target& target : kTargets) {
    if (!target.supported()) continue;
    for (int i = 0; i < target.count; ++i)
      if (std::strcmp(target.cells[i].name, name) == 0) return &target.cells[i];
  }
  return nullptr;
}

}  // namespace recurrence

// A few threads of this process that share the parts of a call.
#pragma once

#include <cstdint>
#include <memory>

namespace recurrence {

// Calls `work(context, part)` for the parts 0 to `parts - 1`, each once, in up to `parts` threads,
// of which the caller is one; returns when all are done, and throws what one of them threw. In all of them, numbers too small for the
// normal range become zero, as in TensorFlow's own operations.
void run_parts(int parts, void (*work)(void* context, int part), void* context);

template <class Work>
void parallel(int parts, Work work) {
  run_parts(
      parts, [](void* context, int part) { (*static_cast<Work*>(context))(part); }, &work);
}

// Memory for a call, aligned for vectors; throws std::bad_alloc.
struct Free {
  void operator()(void* memory) const;
};
void* allocate_bytes(int64_t count);

template <class T = float>
std::unique_ptr<T[], Free> allocate(int64_t count) {
  return std::unique_ptr<T[], Free>(static_cast<T*>(allocate_bytes(count * sizeof(T))));
}
using Memory = std::unique_ptr<float[], Free>;

}  // namespace recurrence

// What a loop keeps of its steps, and which steps of a text are real.
#pragma once

#include "recurrence.h"

namespace recurrence {

template <class T>
void copy(const T* from, int64_t count, T* to) {
  if (count > 0) __builtin_memcpy(to, from, count * sizeof(T));
}

template <class T>
void clear(T* to, int64_t count) {
  if (count > 0) __builtin_memset(to, 0, count * sizeof(T));
}

inline void add(const float* from, int64_t count, float* to) {
  for (int64_t j = 0; j < count; ++j) to[j] += from[j];
}

// The outputs and the carries of all steps, the initial ones first, [steps + 1, batch, padded]
// each, and the arrays that a cell keeps for its derivatives, [steps, batch, kept, padded]. A loop
// that keeps nothing has two steps of each state, by turns.
struct History {
  static int64_t states_size(int states, const Sizes& s, bool keep) {
    return states * (keep ? s.steps + 1 : 2) * s.batch * s.padded();
  }
  static int64_t size(int states, int kept, const Sizes& s) {
    return states_size(states, s, true) + kept * s.steps * s.batch * s.padded();
  }

  History(int states, int kept, const Sizes& sizes, bool keep, float* memory)
      : keep(keep), kept(kept), batch(sizes.batch), padded(sizes.padded()),
        state_size(states_size(1, sizes, keep)), memory(memory),
        arrays(memory + states * state_size) {}

  // State `number` of a text before step `step`.
  float* state(int number, int64_t step, int64_t text) const {
    const int64_t row = (keep ? step : step & 1) * batch + text;
    return memory + number * state_size + row * padded;
  }
  float* array(int number, int64_t step, int64_t text) const {
    return arrays + ((step * batch + text) * kept + number) * padded;
  }

  const bool keep;
  const int kept;
  const int64_t batch, padded, state_size;
  float *const memory, *const arrays;
};

// Which step of a text a step of the loop reads, and what of its output is shown.
struct Schedule {
  int64_t time(int64_t step) const { return options.reverse ? steps - 1 - step : step; }
  bool real(int64_t text, int64_t step) const {
    return mask == nullptr || mask[text * steps + time(step)];
  }
  // Before a text's first real step the outputs are zero, whatever the initial state.
  int64_t first_shown(int64_t text) const {
    int64_t step = -1;
    if (mask != nullptr)
      for (step = 0; step < steps && !real(text, step);) ++step;
    return step;
  }
  bool shown(int64_t text, int64_t step, int64_t first) const {
    return step >= first && (!options.zero_masked || step < 0 || real(text, step));
  }

  const int64_t steps;
  const Options options;
  const bool* const mask;
};

}  // namespace recurrence

// What a recurrence takes and gives: plain arrays, known to all targets and to TensorFlow's side.
//
// Names: `batch` texts of `steps` steps, `features` wide; `units` is the size of the state. Arrays
// are row-major: inputs [batch, steps, features], outputs [batch, steps, units] or [batch, units],
// kernels [features or units, gates * units], biases [gates * units], states [batch, units], mask
// [batch, steps].
#pragma once

#include <cstdint>

namespace recurrence {

constexpr int kMostStates = 2;

struct Sizes {
  int64_t batch, steps, features, units;

  // Internal arrays hold whole vectors: units are padded to a multiple of 16.
  int64_t blocks() const { return (units + 15) / 16; }
  int64_t padded() const { return blocks() * 16; }
};

struct Options {
  bool reverse;           // the last step of a text is the first one of the loop
  bool return_sequences;  // outputs are those of all steps, not of the last
  bool zero_masked;       // a masked step has outputs of zero, not those of the step before it
  bool round_factors;     // to bfloat16, where the processor multiplies pairs of them
};

struct Forward {
  Sizes sizes;
  Options options;
  const float *inputs, *kernel, *recurrent_kernel, *bias, *recurrent_bias, *parameters;
  const float* states[kMostStates];
  const bool* mask;  // or null
  float* outputs;
  float* final_states[kMostStates];
  float* kept;  // what the gradient needs, `kept_size` numbers, or null
};

struct Backward {
  Sizes sizes;
  Options options;
  const float *inputs, *kernel, *recurrent_kernel, *parameters;
  const bool* mask;
  const float* kept;
  const float* d_outputs;
  const float* d_final_states[kMostStates];
  float *d_inputs, *d_kernel, *d_recurrent_kernel, *d_bias, *d_recurrent_bias, *d_parameters;
  float* d_states[kMostStates];
};

// The weights of a cell as whole numbers of eight bits, each times the scale of its column, which
// is one for both kernels; and where they are written as a step reads them.
struct RoundedWeights {
  Sizes sizes;  // any batch and steps
  const int8_t *kernel, *recurrent_kernel;
  const float *scales, *bias, *recurrent_bias;
  int8_t* panels;
  float *panel_scales, *biases;
};

// How many numbers they have so: `panels` the first, `panel_scales` and `biases` each the second.
struct PackedSizes {
  int64_t panels, columns;
};

// One step of a batch with such weights, inputs [batch, features].
struct RoundedStep {
  Sizes sizes;
  const int8_t* panels;
  const float *inputs, *panel_scales, *biases, *parameters;
  const float* states[kMostStates];
  float* final_states[kMostStates];
};

// One cell, compiled for one kind of processor.
struct Cell {
  const char* name;
  int gates;       // blocks of `units` columns of the kernels
  int states;      // the output is the first
  int parameters;  // further weights, in units
  int64_t (*kept_size)(const Sizes&);
  // The results do not depend on the number of threads.
  void (*forward)(const Forward&, int threads);
  void (*backward)(const Backward&, int threads);
  PackedSizes (*packed_sizes)(const Sizes&);
  void (*pack_rounded)(const RoundedWeights&);
  void (*rounded_step)(const RoundedStep&, int threads);
};

// All cells, compiled for one kind of processor.
struct Target {
  const char* name;
  bool (*supported)();
  const Cell* cells;
  int count;
};

// From the best to the one that runs everywhere.
extern const Target kTargets[];
extern const int kTargetCount;

// The cell of this name for this processor, or null.
const Cell* find_cell(const char* name);

}  // namespace recurrence

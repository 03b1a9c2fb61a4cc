// Runs every cell of the native operator over small shapes, forward and backward, the same with
// rounded factors, and a step of it with rounded weights.
//
// Compiled with sanitizers by `sanitize_native.py`. It also checks that the number of threads does
// not change a bit, and that all targets of this processor agree with the plain one.

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "recurrence.h"

using namespace recurrence;
using Floats = std::vector<float>;

namespace {

std::mt19937 generator(0);

Floats draw(int64_t count) {
  std::normal_distribution<float> normal(0, 0.5f);
  Floats numbers(count);
  for (float& x : numbers) x = normal(generator);
  return numbers;
}

// The arguments of a call, each in a block of its own, so that a read past its end is seen.
struct Case {
  Case(const Cell& cell, const Sizes& s, bool masked)
      : sizes(s), inputs(draw(s.batch * s.steps * s.features)),
        kernel(draw(s.features * cell.gates * s.units)),
        recurrent_kernel(draw(s.units * cell.gates * s.units)),
        bias(draw(cell.gates * s.units)), recurrent_bias(draw(cell.gates * s.units)),
        parameters(draw(cell.parameters * s.units)),
        d_outputs(draw(s.batch * (s.steps + 1) * s.units)) {
    for (int n = 0; n < kMostStates; ++n) {
      states[n] = draw(s.batch * s.units);
      d_final_states[n] = draw(s.batch * s.units);
    }
    mask.reset(masked ? new bool[s.batch * s.steps] : nullptr);
    for (int64_t i = 0; masked && i < s.batch * s.steps; ++i)
      mask[i] = i >= s.steps && generator() % 3 > 0;
  }

  Sizes sizes;
  Floats inputs, kernel, recurrent_kernel, bias, recurrent_bias, parameters, d_outputs;
  Floats states[kMostStates], d_final_states[kMostStates];
  std::unique_ptr<bool[]> mask;
};

// All results of a loop and its gradient.
std::vector<Floats> results(const Cell& cell, const Case& c, const Options& options, int threads) {
  const Sizes& s = c.sizes;
  const int64_t columns = cell.gates * s.units;
  const int64_t shown = s.batch * (options.return_sequences ? s.steps : 1) * s.units;
  Floats outputs(shown), outputs_only(shown), kept(cell.kept_size(s));
  Floats final_states[kMostStates], d_states[kMostStates];
  Forward f = {};
  f.sizes = s, f.options = options;
  f.inputs = c.inputs.data(), f.kernel = c.kernel.data();
  f.recurrent_kernel = c.recurrent_kernel.data(), f.bias = c.bias.data();
  f.recurrent_bias = c.recurrent_bias.data(), f.parameters = c.parameters.data();
  f.mask = c.mask.get(), f.outputs = outputs_only.data();
  Backward g = {};
  for (int n = 0; n < cell.states; ++n) {
    final_states[n].resize(s.batch * s.units);
    d_states[n].resize(s.batch * s.units);
    f.states[n] = c.states[n].data(), f.final_states[n] = final_states[n].data();
    g.d_final_states[n] = c.d_final_states[n].data(), g.d_states[n] = d_states[n].data();
  }
  cell.forward(f, threads);
  f.outputs = outputs.data(), f.kept = kept.data();
  cell.forward(f, threads);
  Floats d_inputs(s.batch * s.steps * s.features), d_kernel(s.features * columns);
  Floats d_recurrent_kernel(s.units * columns), d_bias(columns), d_recurrent_bias(columns);
  Floats d_parameters(cell.parameters * s.units), d_outputs(c.d_outputs.begin(),
                                                            c.d_outputs.begin() + shown);
  g.sizes = s, g.options = options;
  g.inputs = c.inputs.data(), g.kernel = c.kernel.data();
  g.recurrent_kernel = c.recurrent_kernel.data(), g.parameters = c.parameters.data();
  g.mask = c.mask.get(), g.kept = kept.data(), g.d_outputs = d_outputs.data();
  g.d_inputs = d_inputs.data(), g.d_kernel = d_kernel.data();
  g.d_recurrent_kernel = d_recurrent_kernel.data(), g.d_bias = d_bias.data();
  g.d_recurrent_bias = d_recurrent_bias.data(), g.d_parameters = d_parameters.data();
  cell.backward(g, threads);
  std::vector<Floats> all = {outputs,  outputs_only, d_inputs,         d_kernel, d_recurrent_kernel,
                             d_bias,   d_recurrent_bias, d_parameters};
  for (int n = 0; n < cell.states; ++n) all.insert(all.end(), {final_states[n], d_states[n]});
  return all;
}

std::vector<int8_t> draw_whole(int64_t count) {
  std::vector<int8_t> numbers(count);
  for (int8_t& x : numbers) x = static_cast<int8_t>(generator() % 255 - 127);
  return numbers;
}

// The same weights, packed anew for each target.
struct RoundedCase {
  RoundedCase(const Cell& cell, const Sizes& s)
      : kernel(draw_whole(s.features * cell.gates * s.units)),
        recurrent_kernel(draw_whole(s.units * cell.gates * s.units)),
        scales(draw(cell.gates * s.units)) {
    for (float& x : scales) x *= 0.01f;
  }

  std::vector<int8_t> kernel, recurrent_kernel;
  Floats scales;
};

// The states after a step with rounded weights, from the inputs of the first step.
std::vector<Floats> rounded_results(const Cell& cell, const Case& c, const RoundedCase& rounded,
                                    int threads) {
  const PackedSizes packed = cell.packed_sizes(c.sizes);
  std::vector<int8_t> panels(packed.panels);
  Floats panel_scales(packed.columns), biases(packed.columns);
  cell.pack_rounded({c.sizes, rounded.kernel.data(), rounded.recurrent_kernel.data(),
                     rounded.scales.data(), c.bias.data(), c.recurrent_bias.data(), panels.data(),
                     panel_scales.data(), biases.data()});
  const Floats inputs(c.inputs.begin(), c.inputs.begin() + c.sizes.batch * c.sizes.features);
  RoundedStep r = {};
  r.sizes = c.sizes, r.panels = panels.data(), r.inputs = inputs.data();
  r.panel_scales = panel_scales.data(), r.biases = biases.data();
  r.parameters = c.parameters.data();
  std::vector<Floats> after(cell.states, Floats(c.sizes.batch * c.sizes.units));
  for (int n = 0; n < cell.states; ++n)
    r.states[n] = c.states[n].data(), r.final_states[n] = after[n].data();
  cell.rounded_step(r, threads);
  return after;
}

void compare(const char* what, const Cell& cell, const std::vector<Floats>& one,
             const std::vector<Floats>& other, float tolerance) {
  for (size_t i = 0; i < one.size(); ++i)
    for (size_t j = 0; j < one[i].size(); ++j)
      if (!(std::fabs(one[i][j] - other[i][j]) <= tolerance * (1 + std::fabs(one[i][j])))) {
        std::printf("%s: %s, result %zu: %g, %g\n", cell.name, what, i, one[i][j], other[i][j]);
        std::exit(1);
      }
}

}  // namespace

int main() {
  int calls = 0;
  const Target& plain = kTargets[kTargetCount - 1];
  std::vector<Sizes> shapes;
  for (int64_t batch : {0, 1, 5, 15, 37})
    for (int64_t steps : {0, 1, 4}) shapes.push_back({batch, steps, 3, 5});
  // Units and features of whole vectors and beside them, more steps than a chunk or a panel has.
  shapes.insert(shapes.end(), {{3, 4, 16, 16}, {3, 3, 17, 19}, {13, 70, 7, 33}, {20, 300, 2, 40},
                              {96, 1, 40, 200}});
  for (const Sizes& sizes : shapes)
    for (int i = 0; i < plain.count; ++i)
      for (int bits = 0; bits < 16; ++bits) {
        // One combination of options is enough for the large shapes.
        if ((sizes.steps > 4 || sizes.units > 100) && bits != 10) continue;
        const Options options = {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, false};
        Options round_factors = options;
        round_factors.round_factors = true;
        const Case c(plain.cells[i], sizes, (bits & 8) != 0);
        const auto expected = results(plain.cells[i], c, options, 1);
        // Of the options a step knows nothing.
        const bool stepped = sizes.steps > 0 && (bits == 0 || bits == 10);
        const RoundedCase rounded(plain.cells[i], sizes);
        for (int t = 0; t < kTargetCount; ++t) {
          if (!kTargets[t].supported()) continue;
          const Cell& cell = kTargets[t].cells[i];
          const auto once = results(cell, c, options, 1);
          compare("another target", cell, expected, once, 2e-4f);
          compare("three threads", cell, once, results(cell, c, options, 3), 0.0f);
          compare("what is kept", cell, {once[0]}, {once[1]}, 0.0f);
          const auto half = results(cell, c, round_factors, 1);
          // In a long loop the rounding grows.
          if (sizes.steps <= 4) compare("rounded factors", cell, expected, half, 0.1f);
          compare("rounded factors, three threads", cell, half,
                  results(cell, c, round_factors, 3), 0.0f);
          compare("what is kept of rounded factors", cell, {half[0]}, {half[1]}, 0.0f);
          if (stepped) {
            const auto step = rounded_results(cell, c, rounded, 1);
            compare("rounded", cell, rounded_results(plain.cells[i], c, rounded, 1), step, 2e-4f);
            compare("rounded, three threads", cell, step, rounded_results(cell, c, rounded, 3),
                    0.0f);
          }
          ++calls;
        }
      }
  for (int t = 0; t < kTargetCount; ++t)
    std::printf("%s: %s\n", kTargets[t].name, kTargets[t].supported() ? "run" : "not here");
  std::printf("%d loops and gradients, each with one thread and with three\n", calls);
}

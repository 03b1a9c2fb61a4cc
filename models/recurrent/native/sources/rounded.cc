// One step of a cell with rounded weights as TensorFlow operators: one that packs the weights once,
// and the step.

#include <vector>

#include "context.h"
#include "recurrence.h"

namespace recurrence {
namespace {

struct PackKernel {
  explicit PackKernel(TF_OpKernelConstruction* construction)
      : cell(find_cell(cell_of(construction).c_str())) {
    require(cell != nullptr, "no such cell");
  }

  const Cell* cell;
};

struct StepKernel : PackKernel {
  explicit StepKernel(TF_OpKernelConstruction* construction)
      : PackKernel(construction), threads(static_cast<int>(threads_of(construction))) {}

  int threads;
};

void pack(const PackKernel& kernel, TF_OpKernelContext* context) {
  const Cell& cell = *kernel.cell;
  const Tensor of_input = input(context, 0), of_state = input(context, 1);
  require(of_input.rank() == 2 && of_state.rank() == 2, "the kernels must be matrices");
  RoundedWeights w = {};
  w.sizes = {1, 1, of_input.size(0), of_state.size(0)};
  const int64_t columns = cell.gates * w.sizes.units;
  require(columns > 0 && of_input.size(1) == columns && of_state.size(1) == columns,
          "the kernels must have gates * units columns");
  const Tensor scales = input(context, 2, {columns}, "the scales must be [gates * units]");
  const Tensor bias = input(context, 3, {columns}, "the bias must be [gates * units]");
  const Tensor recurrent_bias =
      input(context, 4, {columns}, "the recurrent bias must be [gates * units]");
  const PackedSizes packed = cell.packed_sizes(w.sizes);
  const Tensor panels = output<int8_t>(context, 0, {packed.panels});
  const Tensor panel_scales = output(context, 1, {packed.columns});
  const Tensor biases = output(context, 2, {packed.columns});
  w.kernel = of_input.data<int8_t>();
  w.recurrent_kernel = of_state.data<int8_t>();
  w.scales = scales.data();
  w.bias = bias.data();
  w.recurrent_bias = recurrent_bias.data();
  w.panels = panels.data<int8_t>();
  w.panel_scales = panel_scales.data();
  w.biases = biases.data();
  cell.pack_rounded(w);
}

void step(const StepKernel& kernel, TF_OpKernelContext* context) {
  const Cell& cell = *kernel.cell;
  const Tensor inputs = input(context, 0), panels = input(context, 1);
  const Tensor first = input(context, 5);
  require(inputs.rank() == 2 && first.rank() == 2, "inputs and states must be matrices");
  RoundedStep r = {};
  r.sizes = {inputs.size(0), 1, inputs.size(1), first.size(1)};
  require(r.sizes.units > 0, "a state must be [batch, units]");
  const PackedSizes packed = cell.packed_sizes(r.sizes);
  require(panels.count() == packed.panels, "the weights must be packed for these sizes");
  const Tensor panel_scales = input(context, 2, {packed.columns}, "the scales must be packed");
  const Tensor biases = input(context, 3, {packed.columns}, "the biases must be packed");
  const Tensor parameters = input(context, 4, {cell.parameters * r.sizes.units},
                                  "the parameters must be those of the cell in a row");
  std::vector<Tensor> states, final_states;
  for (int n = 0; n < cell.states; ++n) {
    states.push_back(input(context, 5 + n, {r.sizes.batch, r.sizes.units},
                           "a state must be [batch, units]"));
    final_states.push_back(output(context, n, {r.sizes.batch, r.sizes.units}));
    r.states[n] = states.back().data();
    r.final_states[n] = final_states.back().data();
  }
  r.inputs = inputs.data();
  r.panels = panels.data<int8_t>();
  r.panel_scales = panel_scales.data();
  r.biases = biases.data();
  r.parameters = parameters.data();
  cell.rounded_step(r, kernel.threads);
}

__attribute__((constructor)) void register_rounded() {
  register_operator<PackKernel, pack>(
      "SuiteRoundedWeights", {"cell: string"},
      {"kernel: int8", "recurrent_kernel: int8", "scales: float", "bias: float",
       "recurrent_bias: float"},
      {"panels: int8", "panel_scales: float", "biases: float"});
  register_operator<StepKernel, step>(
      "SuiteRoundedStep", {"cell: string", "threads: int", "states: int >= 1"},
      {"inputs: float", "panels: int8", "panel_scales: float", "biases: float",
       "parameters: float", "initial_states: states * float"},
      {"final_states: states * float"});
}

}  // namespace
}  // namespace recurrence

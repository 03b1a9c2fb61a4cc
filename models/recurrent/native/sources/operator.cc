// The recurrences as TensorFlow operators, through TensorFlow's C interface.
//
// Its headers compile in seconds and its functions keep their form from version to version, which
// neither is true of the C++ interface.

#include <memory>
#include <utility>
#include <vector>

#include "context.h"
#include "recurrence.h"

namespace recurrence {
namespace {

bool flag(TF_OpKernelConstruction* construction, const char* name) {
  unsigned char value = 0;
  Status status;
  TF_OpKernelConstruction_GetAttrBool(construction, name, &value, status.get());
  status.check();
  return value != 0;
}

// The attributes of a loop.
struct Kernel {
  explicit Kernel(TF_OpKernelConstruction* construction)
      : options{flag(construction, "reverse"), flag(construction, "return_sequences"),
                flag(construction, "zero_masked"), flag(construction, "round_factors")},
        keep(flag(construction, "keep")), threads(static_cast<int>(threads_of(construction))) {
    cell = find_cell(cell_of(construction).c_str());
    require(cell != nullptr, "no such cell");
  }

  const Cell* cell;
  Options options;
  bool keep;
  int threads;
};

// What both operators get first, in this order.
enum Inputs { kInputs, kKernel, kRecurrentKernel, kParameters, kMask, kFirstOther };

struct Common {
  Common(const Cell& cell, TF_OpKernelContext* context)
      : inputs(input(context, kInputs)), kernel(input(context, kKernel)),
        recurrent_kernel(input(context, kRecurrentKernel)) {
    require(inputs.rank() == 3, "inputs must be [batch, time, features]");
    require(recurrent_kernel.rank() == 2, "the recurrent kernel must be a matrix");
    sizes = {inputs.size(0), inputs.size(1), inputs.size(2), recurrent_kernel.size(0)};
    columns = cell.gates * sizes.units;
    require(sizes.units > 0 && recurrent_kernel.size(1) == columns,
            "the recurrent kernel must be [units, gates * units]");
    require(kernel.rank() == 2 && kernel.size(0) == sizes.features && kernel.size(1) == columns,
            "the kernel must be [features, gates * units]");
    parameters.emplace(input(context, kParameters, {cell.parameters * sizes.units},
                             "the parameters must be those of the cell in a row"));
    mask.emplace(input(context, kMask));
    masked = mask->count() > 0;
    require(!masked || (mask->rank() == 2 && mask->size(0) == sizes.batch &&
                        mask->size(1) == sizes.steps),
            "the mask must be [batch, time] or empty");
  }

  // A tensor with a delayed beginning.
  class Late {
   public:
    void emplace(Tensor&& tensor) { tensor_.reset(new Tensor(std::move(tensor))); }
    Tensor* operator->() const { return tensor_.get(); }

   private:
    std::unique_ptr<Tensor> tensor_;
  };

  Tensor inputs, kernel, recurrent_kernel;
  Late parameters, mask;
  Sizes sizes;
  int64_t columns;
  bool masked;
};

void forward(const Kernel& kernel, TF_OpKernelContext* context) {
  const Cell& cell = *kernel.cell;
  const Common common(cell, context);
  const Sizes& sizes = common.sizes;
  int next = kFirstOther;
  const Tensor bias = input(context, next++, {common.columns}, "the bias must be [gates * units]");
  const Tensor recurrent_bias =
      input(context, next++, {common.columns}, "the recurrent bias must be [gates * units]");
  Forward f = {};
  std::vector<Tensor> states, final_states;
  for (int n = 0; n < cell.states; ++n) {
    states.push_back(input(context, next++, {sizes.batch, sizes.units},
                           "a state must be [batch, units]"));
    f.states[n] = states.back().data();
  }
  const Tensor outputs =
      kernel.options.return_sequences
          ? output(context, 0, {sizes.batch, sizes.steps, sizes.units})
          : output(context, 0, {sizes.batch, sizes.units});
  const Tensor kept = output(context, 1, {kernel.keep ? cell.kept_size(sizes) : 0});
  for (int n = 0; n < cell.states; ++n) {
    final_states.push_back(output(context, 2 + n, {sizes.batch, sizes.units}));
    f.final_states[n] = final_states.back().data();
  }
  f.sizes = sizes;
  f.options = kernel.options;
  f.inputs = common.inputs.data();
  f.kernel = common.kernel.data();
  f.recurrent_kernel = common.recurrent_kernel.data();
  f.bias = bias.data();
  f.recurrent_bias = recurrent_bias.data();
  f.parameters = common.parameters->data();
  f.mask = common.masked ? common.mask->data<bool>() : nullptr;
  f.outputs = outputs.data();
  f.kept = kernel.keep ? kept.data() : nullptr;
  cell.forward(f, kernel.threads);
}

void backward(const Kernel& kernel, TF_OpKernelContext* context) {
  const Cell& cell = *kernel.cell;
  const Common common(cell, context);
  const Sizes& sizes = common.sizes;
  int next = kFirstOther;
  const Tensor kept = input(context, next++, {cell.kept_size(sizes)},
                            "what was kept must be that of the same loop");
  const Tensor d_outputs =
      kernel.options.return_sequences
          ? input(context, next++, {sizes.batch, sizes.steps, sizes.units},
                  "the derivatives by the outputs must be [batch, time, units]")
          : input(context, next++, {sizes.batch, sizes.units},
                  "the derivatives by the output must be [batch, units]");
  Backward g = {};
  std::vector<Tensor> d_final_states, d_states;
  for (int n = 0; n < cell.states; ++n) {
    d_final_states.push_back(input(context, next++, {sizes.batch, sizes.units},
                                   "the derivatives by a state must be [batch, units]"));
    g.d_final_states[n] = d_final_states.back().data();
  }
  const Tensor d_inputs = output(context, 0, {sizes.batch, sizes.steps, sizes.features});
  const Tensor d_kernel = output(context, 1, {sizes.features, common.columns});
  const Tensor d_recurrent_kernel = output(context, 2, {sizes.units, common.columns});
  const Tensor d_parameters = output(context, 3, {cell.parameters * sizes.units});
  const Tensor d_bias = output(context, 4, {common.columns});
  const Tensor d_recurrent_bias = output(context, 5, {common.columns});
  for (int n = 0; n < cell.states; ++n) {
    d_states.push_back(output(context, 6 + n, {sizes.batch, sizes.units}));
    g.d_states[n] = d_states.back().data();
  }
  g.sizes = sizes;
  g.options = kernel.options;
  g.inputs = common.inputs.data();
  g.kernel = common.kernel.data();
  g.recurrent_kernel = common.recurrent_kernel.data();
  g.parameters = common.parameters->data();
  g.mask = common.masked ? common.mask->data<bool>() : nullptr;
  g.kept = kept.data();
  g.d_outputs = d_outputs.data();
  g.d_inputs = d_inputs.data();
  g.d_kernel = d_kernel.data();
  g.d_recurrent_kernel = d_recurrent_kernel.data();
  g.d_parameters = d_parameters.data();
  g.d_bias = d_bias.data();
  g.d_recurrent_bias = d_recurrent_bias.data();
  cell.backward(g, kernel.threads);
}

// As TensorFlow loads the library.
__attribute__((constructor)) void register_recurrences() {
  const Specs attributes = {"cell: string",      "reverse: bool",       "return_sequences: bool",
                            "zero_masked: bool", "round_factors: bool", "keep: bool",
                            "threads: int",      "states: int >= 1"};
  register_operator<Kernel, forward>(
      "SuiteRecurrence", attributes,
      {"inputs: float", "kernel: float", "recurrent_kernel: float", "parameters: float",
       "mask: bool", "bias: float", "recurrent_bias: float", "initial_states: states * float"},
      {"outputs: float", "kept: float", "final_states: states * float"});
  register_operator<Kernel, backward>(
      "SuiteRecurrenceGradient", attributes,
      {"inputs: float", "kernel: float", "recurrent_kernel: float", "parameters: float",
       "mask: bool", "kept: float", "d_outputs: float", "d_final_states: states * float"},
      {"d_inputs: float", "d_kernel: float", "d_recurrent_kernel: float", "d_parameters: float",
       "d_bias: float", "d_recurrent_bias: float", "d_initial_states: states * float"});
}

}  // namespace
}  // namespace recurrence

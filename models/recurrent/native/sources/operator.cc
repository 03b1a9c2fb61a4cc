// The recurrences as TensorFlow operators, through TensorFlow's C interface.
//
// Its headers compile in seconds and its functions keep their form from version to version, which
// neither is true of the C++ interface.

#include <cstdio>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "recurrence.h"
#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_status.h"
#include "tensorflow/c/tf_tensor.h"

namespace recurrence {
namespace {

class Status {
 public:
  Status() : status_(TF_NewStatus()) {}
  ~Status() { TF_DeleteStatus(status_); }
  TF_Status* get() const { return status_; }
  // Throws what went wrong.
  void check() const {
    if (TF_GetCode(status_) != TF_OK) throw std::string(TF_Message(status_));
  }

 private:
  TF_Status* status_;
};

// An input or output of a call.
class Tensor {
 public:
  explicit Tensor(TF_Tensor* tensor) : tensor_(tensor) {}
  Tensor(Tensor&& other) : tensor_(other.tensor_) { other.tensor_ = nullptr; }
  ~Tensor() {
    if (tensor_ != nullptr) TF_DeleteTensor(tensor_);
  }
  int rank() const { return TF_NumDims(tensor_); }
  int64_t size(int axis) const { return TF_Dim(tensor_, axis); }
  int64_t count() const { return TF_TensorElementCount(tensor_); }
  template <class T = float>
  T* data() const {
    return static_cast<T*>(TF_TensorData(tensor_));
  }

 private:
  TF_Tensor* tensor_;
};

void require(bool condition, const char* what) {
  if (!condition) throw std::string(what);
}

Tensor input(TF_OpKernelContext* context, int number) {
  TF_Tensor* tensor = nullptr;
  Status status;
  TF_GetInput(context, number, &tensor, status.get());
  status.check();
  return Tensor(tensor);
}

Tensor input(TF_OpKernelContext* context, int number, std::initializer_list<int64_t> shape,
             const char* what) {
  Tensor tensor = input(context, number);
  bool equal = tensor.rank() == static_cast<int>(shape.size());
  int axis = 0;
  for (int64_t size : shape) {
    equal = equal && tensor.size(axis) == size;
    ++axis;
  }
  require(equal, what);
  return tensor;
}

Tensor output(TF_OpKernelContext* context, int number, std::initializer_list<int64_t> shape) {
  int64_t count = 1;
  for (int64_t size : shape) count *= size;
  Status status;
  TF_Tensor* tensor =
      TF_AllocateOutput(context, number, TF_FLOAT, shape.begin(), static_cast<int>(shape.size()),
                        count * sizeof(float), status.get());
  Tensor owned(tensor);
  status.check();
  return owned;
}

// The attributes of an operator.
struct Kernel {
  const Cell* cell;
  Options options;
  bool keep;
  int threads;
};

bool flag(TF_OpKernelConstruction* construction, const char* name) {
  unsigned char value = 0;
  Status status;
  TF_OpKernelConstruction_GetAttrBool(construction, name, &value, status.get());
  status.check();
  return value != 0;
}

void* create(TF_OpKernelConstruction* construction) {
  try {
    Status status;
    char name[32] = {};
    TF_OpKernelConstruction_GetAttrString(construction, "cell", name, sizeof(name) - 1,
                                          status.get());
    status.check();
    int32_t threads = 1;
    TF_OpKernelConstruction_GetAttrInt32(construction, "threads", &threads, status.get());
    status.check();
    const Cell* cell = find_cell(name);
    require(cell != nullptr, "no such cell");
    require(threads > 0, "threads must be positive");
    const Options options = {flag(construction, "reverse"),
                             flag(construction, "return_sequences"),
                             flag(construction, "zero_masked")};
    return new Kernel{cell, options, flag(construction, "keep"), threads};
  } catch (const std::string& message) {
    Status status;
    TF_SetStatus(status.get(), TF_INVALID_ARGUMENT, message.c_str());
    TF_OpKernelConstruction_Failure(construction, status.get());
    return nullptr;
  }
}

void destroy(void* kernel) { delete static_cast<Kernel*>(kernel); }

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

template <void (*run)(const Kernel&, TF_OpKernelContext*)>
void compute(void* kernel, TF_OpKernelContext* context) {
  const auto fail = [&](TF_Code code, const char* message) {
    Status status;
    TF_SetStatus(status.get(), code, message);
    TF_OpKernelContext_Failure(context, status.get());
  };
  try {
    run(*static_cast<Kernel*>(kernel), context);
  } catch (const std::string& message) {
    fail(TF_INVALID_ARGUMENT, message.c_str());
  } catch (const std::bad_alloc&) {
    fail(TF_RESOURCE_EXHAUSTED, "not enough memory for a recurrent loop");
  } catch (const std::exception& error) {
    fail(TF_INTERNAL, error.what());
  }
}

void unknown_shapes(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeInferenceContextSetUnknownShape(context, status);
}

using Names = std::initializer_list<const char*>;

void register_operator(const char* name, Names inputs, Names outputs,
                       void (*compute_function)(void*, TF_OpKernelContext*)) {
  Status status;
  TF_OpDefinitionBuilder* definition = TF_NewOpDefinitionBuilder(name);
  for (const char* spec : {"cell: string", "reverse: bool", "return_sequences: bool",
                           "zero_masked: bool", "keep: bool", "threads: int", "states: int >= 1"})
    TF_OpDefinitionBuilderAddAttr(definition, spec);
  for (const char* spec : inputs) TF_OpDefinitionBuilderAddInput(definition, spec);
  for (const char* spec : outputs) TF_OpDefinitionBuilderAddOutput(definition, spec);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(definition, unknown_shapes);
  TF_RegisterOpDefinition(definition, status.get());
  if (TF_GetCode(status.get()) == TF_OK) {
    TF_KernelBuilder* builder =
        TF_NewKernelBuilder(name, "CPU", create, compute_function, destroy);
    TF_RegisterKernelBuilder(name, builder, status.get());
  }
  if (TF_GetCode(status.get()) != TF_OK)
    std::fprintf(stderr, "%s: %s\n", name, TF_Message(status.get()));
}

// As TensorFlow loads the library.
__attribute__((constructor)) void register_operators() {
  register_operator("SuiteRecurrence",
                    {"inputs: float", "kernel: float", "recurrent_kernel: float",
                     "parameters: float", "mask: bool", "bias: float", "recurrent_bias: float",
                     "initial_states: states * float"},
                    {"outputs: float", "kept: float", "final_states: states * float"},
                    compute<forward>);
  register_operator("SuiteRecurrenceGradient",
                    {"inputs: float", "kernel: float", "recurrent_kernel: float",
                     "parameters: float", "mask: bool", "kept: float", "d_outputs: float",
                     "d_final_states: states * float"},
                    {"d_inputs: float", "d_kernel: float", "d_recurrent_kernel: float",
                     "d_parameters: float", "d_bias: float", "d_recurrent_bias: float",
                     "d_initial_states: states * float"},
                    compute<backward>);
}

}  // namespace
}  // namespace recurrence

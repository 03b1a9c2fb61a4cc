// TensorFlow's C interface in the form that the operators use.
#pragma once

#include <cstdint>
#include <cstdio>
#include <exception>
#include <initializer_list>
#include <new>
#include <string>
#include <type_traits>

#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_status.h"
#include "tensorflow/c/tf_tensor.h"

namespace recurrence {

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

inline void require(bool condition, const char* what) {
  if (!condition) throw std::string(what);
}

inline Tensor input(TF_OpKernelContext* context, int number) {
  TF_Tensor* tensor = nullptr;
  Status status;
  TF_GetInput(context, number, &tensor, status.get());
  status.check();
  return Tensor(tensor);
}

inline Tensor input(TF_OpKernelContext* context, int number, std::initializer_list<int64_t> shape,
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

template <class T = float>
Tensor output(TF_OpKernelContext* context, int number, std::initializer_list<int64_t> shape) {
  constexpr TF_DataType kType = std::is_same<T, float>::value ? TF_FLOAT : TF_INT8;
  int64_t count = 1;
  for (int64_t size : shape) count *= size;
  Status status;
  TF_Tensor* tensor =
      TF_AllocateOutput(context, number, kType, shape.begin(), static_cast<int>(shape.size()),
                        count * sizeof(T), status.get());
  Tensor owned(tensor);
  status.check();
  return owned;
}

inline std::string cell_of(TF_OpKernelConstruction* construction) {
  char name[32] = {};
  Status status;
  TF_OpKernelConstruction_GetAttrString(construction, "cell", name, sizeof(name) - 1,
                                        status.get());
  status.check();
  return name;
}

inline int64_t threads_of(TF_OpKernelConstruction* construction) {
  int64_t threads = 0;
  Status status;
  TF_OpKernelConstruction_GetAttrInt64(construction, "threads", &threads, status.get());
  status.check();
  require(threads > 0 && threads < 1024, "threads must be positive");
  return threads;
}

// Makes a kernel of its attributes; a message that it throws is TensorFlow's.
template <class Kernel>
void* create(TF_OpKernelConstruction* construction) {
  try {
    return new Kernel(construction);
  } catch (const std::string& message) {
    Status status;
    TF_SetStatus(status.get(), TF_INVALID_ARGUMENT, message.c_str());
    TF_OpKernelConstruction_Failure(construction, status.get());
    return nullptr;
  }
}

template <class Kernel>
void destroy(void* kernel) {
  delete static_cast<Kernel*>(kernel);
}

template <class Kernel, void (*run)(const Kernel&, TF_OpKernelContext*)>
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
    fail(TF_RESOURCE_EXHAUSTED, "not enough memory for an operator");
  } catch (const std::exception& error) {
    fail(TF_INTERNAL, error.what());
  }
}

inline void unknown_shapes(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeInferenceContextSetUnknownShape(context, status);
}

using Specs = std::initializer_list<const char*>;

// Registers an operator with its kernel for processors.
template <class Kernel, void (*run)(const Kernel&, TF_OpKernelContext*)>
void register_operator(const char* name, Specs attributes, Specs inputs, Specs outputs) {
  Status status;
  TF_OpDefinitionBuilder* definition = TF_NewOpDefinitionBuilder(name);
  for (const char* spec : attributes) TF_OpDefinitionBuilderAddAttr(definition, spec);
  for (const char* spec : inputs) TF_OpDefinitionBuilderAddInput(definition, spec);
  for (const char* spec : outputs) TF_OpDefinitionBuilderAddOutput(definition, spec);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(definition, unknown_shapes);
  TF_RegisterOpDefinition(definition, status.get());
  if (TF_GetCode(status.get()) == TF_OK) {
    TF_KernelBuilder* builder = TF_NewKernelBuilder(name, "CPU", create<Kernel>,
                                                    compute<Kernel, run>, destroy<Kernel>);
    TF_RegisterKernelBuilder(name, builder, status.get());
  }
  if (TF_GetCode(status.get()) != TF_OK)
    std::fprintf(stderr, "%s: %s\n", name, TF_Message(status.get()));
}

}  // namespace recurrence

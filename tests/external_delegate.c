/* An external TFLite delegate for tests. Without options the delegate takes no nodes. The option "fault" makes it
 * crash, hang or refuse; "wrong" makes it take all nodes and answer 17 in every byte. Where the environment has
 * DEVICE_IS_GONE, "gone" makes the delegate fail and "fatal" makes the delegate crash. Structs are as in
 * TFLite's public headers, as far as they are used. */
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct { int size; int data[]; } IntArray;
typedef struct { int32_t type; void* data; void* dims; float scale; int32_t zero; int32_t allocation; size_t bytes;
    void* mapped; const char* name; void* delegate; int32_t handle; char stale, variable; int64_t quantization[2];
    void* sparsity; void* signature; } Tensor;
typedef struct { IntArray *inputs, *outputs; } Node;
typedef struct Context Context;
typedef struct { void* (*init)(Context*, const char*, size_t); void (*free)(Context*, void*);
    int (*prepare)(Context*, Node*); int (*invoke)(Context*, Node*); const char* (*profile)(const Context*, const Node*);
    int32_t builtin; const char* name; int version; void* external; void* async; uint64_t inplace; } Registration;
typedef struct Delegate Delegate;
struct Context { size_t n; int (*plan)(Context*, IntArray**); Tensor* tensors; void* impl; void* resize; void* report;
    void* add; void* node; int (*replace)(Context*, Registration, const IntArray*, Delegate*); };
struct Delegate { const char* fault; int (*prepare)(Context*, Delegate*); void* others[3]; int64_t flags; void* builder; };

static int fill(Context* context, Node* node) {
    for (int i = 0; i < node->outputs->size; ++i) {
        Tensor* tensor = &context->tensors[node->outputs->data[i]];
        if (tensor->data != NULL) memset(tensor->data, 17, tensor->bytes);
    }
    return 0;
}

static int ready(Context* context, Node* node) { return context == NULL || node == NULL; }

static int prepare(Context* context, Delegate* delegate) {
    if (strcmp(delegate->fault, "crash") == 0) raise(SIGSEGV);
    while (strcmp(delegate->fault, "hang") == 0) pause();
    if (strcmp(delegate->fault, "fatal") == 0 && getenv("DEVICE_IS_GONE") != NULL) raise(SIGSEGV);
    if (strcmp(delegate->fault, "gone") == 0 && getenv("DEVICE_IS_GONE") != NULL) return 1;
    if (strcmp(delegate->fault, "wrong") != 0) return 0;
    IntArray* nodes = NULL;
    if (context->plan(context, &nodes) != 0) return 1;
    Registration all = {0};
    all.prepare = ready;
    all.invoke = fill;
    all.name = "Seventeen";
    all.version = 1;
    return context->replace(context, all, nodes, delegate);
}

Delegate* tflite_plugin_create_delegate(const char* const* keys, const char* const* values, size_t n,
                                        void (*report)(const char*)) {
    const char* fault = "";
    for (size_t i = 0; i < n; ++i)
        if (strcmp(keys[i], "fault") == 0) fault = values[i];
    if (strcmp(fault, "refuse") == 0) {
        if (report != NULL) report("there is no such device");
        return NULL;
    }
    Delegate* made = calloc(1, sizeof *made);
    made->fault = strdup(fault);
    made->prepare = prepare;
    return made;
}

void tflite_plugin_destroy_delegate(Delegate* delegate) {
    if (delegate != NULL) free((void*)delegate->fault);
    free(delegate);
}

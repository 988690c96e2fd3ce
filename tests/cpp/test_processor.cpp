// Where merely loading LiteRT's accelerator for GPUs would end the process, it is not loaded: a Cortex-A72
// has no dot product. Emulated, QEMU_CPU says what we are; a library that stands in for LiteRT has a GPU
// everywhere.
#include <cstdlib>
#include <string>

#include "check.h"
#include "edgeemo/bundle.h"
#include "edgeemo/delegates.h"
#include "edgeemo/errors.h"

using namespace edgeemo;

int main() {
    const ModelBytes model = Bundle::open(std::string(EDGEEMO_ZOO) + "/text.tflite").model;
    EngineOptions options;
    options.library = EDGEEMO_STAND_IN;
    options.delegate = "gpu";
    options.delegate_options = "probe_program = /nowhere\n";
    const char* const processor = std::getenv("QEMU_CPU");
    if (processor != nullptr && std::string(processor) == "cortex-a72") {
        const std::string why = message_of<DelegateError>([&] { Engine engine(model, options); });
        CHECK(why.find("lacks the dot product instructions") != std::string::npos);
        CHECK(probe_gpu(model, options, {}).reason == why);  // no child is started for that
    } else {
        const Engine engine(model, options);
        CHECK(probe_gpu(model, options, {}).reason.find("/nowhere") != std::string::npos);  // it was tried
    }
    options.delegate = "cpu";
    const Engine engine(model, options);
    return 0;
}

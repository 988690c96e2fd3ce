#include "bindings.h"

PYBIND11_MODULE(_core, m) {
    m.doc() = "Native engine of edgeemo. Use the names that edgeemo and its modules export.";
    m.attr("__version__") = EDGEEMO_VERSION;
    bind_errors(m);
    bind_quant(m);
    bind_specs(m);
    bind_text(m);
    bind_voice(m);
    bind_face(m);
    bind_detect(m);
    bind_follow(m);
    bind_model(m);
    bind_delegates(m);
    bind_bundle(m);
    bind_online(m);
}

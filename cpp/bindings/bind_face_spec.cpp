#include "bindings.h"
#include "edgeemo/face.h"
#include "spec_binding.h"

namespace py = pybind11;
using edgeemo::FaceSpec;

namespace {

// Every field, sorted by name.
struct FaceFields {
    static constexpr const char* name = "FaceSpec";

    template <class Spec, class Visit>
    static void visit(Spec& s, Visit&& field) {
        field("border", s.border, "Beyond the picture: 'replicate' (its edge goes on) or 'black'.");
        field("box_scale", s.box_scale,
              "Side of the crop over that of the least one holding the box, 0.25 to 4.");
        field("channels", s.channels, "'gray' (BT.601 luma, not rounded) or 'rgb'.");
        field("eye_distance", s.eye_distance, "Distance of the eyes over the crop's width, 0.05 to 1.");
        field("eye_y", s.eye_y, "Height of the eyes from the top over the crop's height, 0 to 1.");
        field("gain", s.gain, "Multiplies what is normalised, 1e-6 to 1e6.");
        field("height", s.height, "Pixels of the tensor, 8 to 512.");
        field("normalization", s.normalization, "Of a crop: 'none' ([0, 1]) or 'mean_std'.");
        field("width", s.width, "Pixels of the tensor, 8 to 512.");
    }
};

py::tuple face_output(const FaceSpec& spec) {
    const int channels = spec.channels == FaceSpec::Channels::rgb ? 3 : 1;
    return py::make_tuple(py::make_tuple(spec.height, spec.width, channels), "float32");
}

}  // namespace

void bind_face_spec(py::module_& m) {
    m.attr("FACE_FRONTEND_VERSION") = edgeemo::kFaceFrontendVersion;
    specs::Binding<FaceSpec, FaceFields>::bind(m,
                                               "How a face in a picture becomes a tensor: a read-only value.")
        .def_property_readonly("output", &face_output,
                               "Shape and dtype of a tensor: ((height, width, 1 or 3), 'float32').");
}

// Parts of bundles as Python hands them over.
#pragma once

#include <pybind11/pybind11.h>

#include "edgeemo/bundle.h"

// Views into the caller's bytes, which must outlive them.
edgeemo::Assets assets_of(const pybind11::dict& assets);

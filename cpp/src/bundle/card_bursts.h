// Reads how a card describes bursts: sounds without words, such as a laugh or a scream.
#pragma once

#include "bundle/card_fields.h"
#include "edgeemo/bundle.h"

namespace edgeemo {

// Reads the field `bursts`, whose outputs `raw` and whose modality `card` has. Throws BundleCorruptError.
void read_bursts(const Value& raw, Card& card);

}  // namespace edgeemo
